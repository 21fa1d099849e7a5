#include "session.hpp"

#include "errors.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/net/curl.hpp"

#include <functional>

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

/// Every text in it but the keys.
void change_texts(kube::Json& value, const std::function<std::string(const std::string&)>& change) {
    if (value.is_string()) value = change(value.get_ref<const std::string&>());
    if (!value.is_structured()) return;
    for (kube::Json& child : value)
        change_texts(child, change);
}

/// What is wrong in a kubeconfig stands in its message; how to go on without it is the same for all files.
kube::Connection loaded(const kube::KubeconfigRequest& request, Context& context) {
    try {
        return kube::load_connection(request, context.environment, context.clock);
    } catch (const Error& error) {
        if (error.code() != ExitCode::usage || !error.hint().empty()) throw;
        throw error.with_hint("--kubeconfig FILE takes another one, --context NAME another of its contexts");
    }
}

/// What is told along the way names commands, too.
class CompletedStory : public term::Story {
  public:
    CompletedStory(std::unique_ptr<term::Story> story, const GlobalFlags& flags)
        : story_(std::move(story)), flags_(flags) {}
    void on(const Event& event) override {
        story_->on({event.phase, event.subject, event.state, completed_hint(event.detail, flags_)});
    }
    void tick() override { story_->tick(); }
    void print(std::string_view lines) override { story_->print(lines); }
    void print_broken(std::string_view lines) override { story_->print_broken(lines); }
    void hide() override { story_->hide(); }
    void finish() override { story_->finish(); }

  private:
    std::unique_ptr<term::Story> story_;
    const GlobalFlags& flags_;
};

}  // namespace

struct Session::Cluster {
    Cluster(kube::Connection found, Context& context, Reporter& reporter, Clock::Duration patience)
        : connection(std::move(found)),
          transport(context.connect(connection.endpoint, context.clock)),
          client(*transport, context.clock, reporter, patience) {}

    kube::Connection connection;
    std::unique_ptr<net::Transport> transport;
    kube::Client client;
};

Session::Session(Context& context, const GlobalFlags& flags)
    : context_(context),
      flags_(flags),
      typed_flags_(flags),
      terminal_(context.detect_terminal(flags.no_colour)),
      story_(std::make_unique<CompletedStory>(
          term::make_reporter(terminal_, context.err, context.clock, flags.quiet), typed_flags_)) {}

Session::~Session() = default;

Session::Cluster& Session::cluster() {
    if (!cluster_) {
        const kube::KubeconfigRequest request{flags_.kubeconfig, flags_.context, terminal_.input,
                                              flags_.timeout};
        cluster_ = std::make_unique<Cluster>(loaded(request, context_), context_, *story_, flags_.timeout);
    }
    return *cluster_;
}

const kube::Connection& Session::connection() {
    return cluster().connection;
}
net::Transport& Session::transport() {
    return *cluster().transport;
}
kube::Client& Session::client() {
    return cluster().client;
}

bool Session::has_lost_write() const {
    return cluster_ && cluster_->client.has_lost_write();
}

hermes::Resolve Session::resolve() {
    return net::is_proxied(connection().endpoint) ? hermes::Resolve{} : context_.resolve;
}

void Session::turns_to(const hermes::Names& names) {
    for (std::size_t i = 0; i < instances_.size(); ++i) {
        if (instances_[i].deployment() == names.deployment()) typed_flags_.in_file = in_files_[i];
    }
    const bool from_stdin = flags_.file == "-";  // which is read by then
    if (!from_stdin && !several()) return;
    if (from_stdin) typed_flags_.file.clear();
    typed_flags_.ns = names.ns;
    typed_flags_.name = names.name;
}

Error Session::explained(hermes::Work work, const kube::ApiError& refusal) {
    if (refusal.http() != 403 || refusal.code() != ExitCode::denied) return refusal;
    try {
        return hermes::explained(client(), instances_, work, refusal);
    } catch (const Error&) {  // interrupted: what was known is told
        return refusal;
    }
}

void Session::announce(std::string_view ns) {
    const kube::Connection& to = connection();
    const std::string context = to.context.empty() ? "in-cluster" : "context " + to.context;
    story_->on({.phase = "open",
                .subject = fmt::format("namespace/{}", ns),
                .state = State::info,
                .detail = fmt::format("{}, {}", context, to.server)});
}

void Session::show_plan(std::string text) {
    kept_plan_ = std::move(text);
    if (!flags_.quiet) show_kept_plan();
}

void Session::show_kept_plan() {
    story_->print_broken(std::exchange(kept_plan_, {}));
}

void Session::confirm(const std::string& question, bool takes, bool changed) {
    const bool asks = !flags_.yes && (takes || terminal_.input);
    if (takes || asks) show_kept_plan();
    if (!asks) return;
    if (!terminal_.input) {
        throw Error(ExitCode::usage, "a yes is needed, and there is no terminal to ask: " + question,
                    "repeat the command with --yes");
    }
    story_->hide();
    if (term::ask_yes(question)) return;
    throw Error(ExitCode::failed, changed ? "you said no" : "nothing was changed: you said no");
}

void Session::print_result(kube::Json json, std::string_view text) {
    change_texts(json, [&](const std::string& told) { return completed_hint(told, typed_flags_); });
    print_exact(std::move(json), completed_hint(text, typed_flags_));
}

void Session::print_partial(kube::Json json, std::string_view text) {
    if (flags_.json()) {
        partial_ = std::move(json);
    } else if (!text.empty()) {
        write(scrub(text));
    }
}

void Session::refuse_json(std::string_view why) const {
    if (flags_.json())
        throw Error(ExitCode::usage, fmt::format("{}: there is no JSON of it", why), "leave out -o json");
}

void Session::write(const std::string& text) {
    story_->finish();
    context_.out << text << std::flush;
}

void Session::print_exact(kube::Json json, std::string_view text) {
    write(flags_.json() ? json_text(std::move(json)) : scrub(text));
    refuse_lost(context_.out);
}

std::string json_text(kube::Json json) {
    change_texts(json, [](const std::string& told) { return scrub(told); });
    return json.dump(2, ' ', false, kube::Json::error_handler_t::replace) + "\n";
}

}  // namespace hermesctl::cli
