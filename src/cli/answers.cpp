#include "answers.hpp"

#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/term/text.hpp"

#include <array>

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using namespace std::chrono_literals;
using hermes::Lifelines;

constexpr int attempts = 3;
constexpr std::string_view unchecked_text =
    "Telegram is connected, but whether the model answers was not checked";

/// Both were asked, and what they said will not be otherwise in a moment.
bool settled(const Lifelines& lines, const ModelChoice& model) {
    const auto trouble = hermes::lifeline_trouble(lines, model);
    if (trouble) return trouble->patience == hermes::Patience::none;
    return lines.bot_status != 0;
}

/// Whether a trouble is an error; nothing: any is.
using IsError = std::function<bool(const hermes::Trouble&)>;

/// What ended the asking itself is a trouble, too.
Lifelines asked(Session& session, const hermes::Names& names, const Answers& answers,
                const ModelChoice& model, const std::function<void()>& each_round,
                std::optional<hermes::Trouble>& trouble) {
    try {
        Lifelines lines = ask_lifelines(session, names, answers.pod, model, each_round);
        trouble = hermes::lifeline_trouble(lines, model);
        return lines;
    } catch (const kube::ApiError&) {
        throw;
    } catch (const Error& error) {
        if (error.code() != ExitCode::failed) throw;
        trouble = hermes::Trouble{"unasked", "model", error.message(), error.hint()};
    }
    return {};
}

void check(Session& session, const hermes::Names& names, const ModelChoice& model, const IsError& is_error,
           const std::function<void()>& each_round, Answers& answers) {
    Reporter& story = session.story();
    story.on({"wait", "model", State::waiting, "asking " + model.provider});
    std::optional<hermes::Trouble> trouble;
    const Lifelines lines = asked(session, names, answers, model, each_round, trouble);
    if (trouble && (!is_error || is_error(*trouble)))
        throw hermes::NotAnswering({ExitCode::failed, trouble->cause, trouble->hint}, *trouble);
    answers.bot = lines.bot;
    answers.key_checked = lines.key_accepted();
    if (trouble) {
        answers.trouble = trouble->cause;
        return story.on(
            {"wait", "model", State::warning,
             fmt::format("{}; the change did not make this. Next: {}", trouble->cause, trouble->hint)});
    }
    for (const Event& note : hermes::lifeline_notes(lines, model)) {
        story.on(note);
    }
    story.on({"wait", "model", lines.key_accepted() ? State::done : State::warning,
              lines.key_accepted()
                  ? fmt::format("{} accepts the key", model.provider)
                  : fmt::format("hermesctl does not know how to ask {}, so its key is not checked",
                                model.provider)});
}

Answers wait_and_check(Session& session, const hermes::Names& names, const ModelChoice& model, bool checked,
                       const IsError& is_error, const std::function<void()>& each_round) {
    hermes::WaitOptions options;
    options.timeout = session.flags().timeout;
    options.each_round = each_round;
    Answers answers{.pod = hermes::wait_until_answers(session.client(), names, options, session.story())};
    if (!checked) return answers;
    try {
        check(session, names, model, is_error, each_round, answers);
    } catch (const kube::ApiError& error) {
        if (error.http() != 403) throw;
        session.story().on(
            {"wait", "model", State::warning, "pods/exec is not allowed, so the key is not checked"});
    }
    return answers;
}

}  // namespace

Lifelines ask_lifelines(Session& session, const hermes::Names& names, const std::string& pod,
                        const ModelChoice& model, const std::function<void()>& each_round) {
    for (int attempt = 1;; ++attempt) {
        try {
            Lifelines lines = hermes::check_lifelines(session.client(), names.ns, pod, model, each_round);
            if (attempt == attempts || settled(lines, model)) return lines;
        } catch (const Error& error) {
            if (attempt == attempts || error.code() == ExitCode::interrupted) throw;
        }
        session.clock().sleep(2s);
    }
}

kube::Json Answers::json() const {
    kube::Json json{{"answering", trouble.empty()}, {"pod", pod}};
    if (trouble.empty() && !key_checked) json["answering"] = nullptr;
    json["bot"] = bot.empty() ? kube::Json() : kube::Json(bot);
    if (!trouble.empty()) json["trouble"] = trouble;
    return json;
}

std::string Answers::text() const {
    if (!trouble.empty()) return fmt::format("not of this change: {}\n", term::printable(trouble));
    const std::string whom = bot.empty() ? "" : ": message " + bot;
    return fmt::format("{}{}\n", key_checked ? "the bot answers" : unchecked_text, whom);
}

std::optional<ModelChoice> known_model(Session& session, const hermes::Names& names) {
    const std::array refs{names.deployment(), names.config()};
    const auto found = session.client().get_all(refs);
    return known_model(session, names, found[0], found[1]);
}

std::optional<ModelChoice> known_model(Session& session, const hermes::Names& names,
                                       const kube::Outcome& deployment, const kube::Outcome& config) {
    if (deployment.not_found()) throw hermes::missing(names.deployment());
    try {
        const hermes::Live live{{{names.deployment(), deployment.value()}, {names.config(), config.value()}}};
        const kube::Json settings = hermes::settings_of(live, names);
        const hermes::Values defaults;
        ModelChoice model{kube::text_at(settings, "/model/provider", defaults.provider),
                          kube::text_at(settings, "/model/default", defaults.model)};
        hermes::key_of_provider(model.provider);
        return model;
    } catch (const Error& error) {
        session.story().on({"wait", "model", State::warning, "its key is not checked: " + error.message()});
        return std::nullopt;
    }
}

Answers wait_for_answers(Session& session, const hermes::Names& names, const ModelChoice& model, bool checked,
                         hermes::HeldLease* lease) {
    return wait_and_check(session, names, model, checked, {}, [lease] {
        if (lease != nullptr) lease->renew_if_due();
    });
}

Answers wait_for_answers(Session& session, const hermes::Names& names, const ModelChoice& model, bool checked,
                         const std::vector<std::string>& keys, const std::function<void()>& each_round) {
    const auto is_error = [&](const hermes::Trouble& trouble) {
        return hermes::concerns(trouble, model, keys);
    };
    return wait_and_check(session, names, model, checked, is_error, each_round);
}

}  // namespace hermesctl::cli
