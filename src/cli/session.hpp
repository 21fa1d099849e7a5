// One run of one command: the outside world, the flags, who is told what, and the cluster once it is needed.
#pragma once

#include "hermesctl/cli/cli.hpp"
#include "hermesctl/hermes/cluster.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/permissions.hpp"
#include "hermesctl/kube/client.hpp"
#include "hermesctl/kube/kubeconfig.hpp"
#include "hermesctl/kube/object.hpp"
#include "hermesctl/term/reporters.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hermesctl::cli {

class Session {
  public:
    Session(Context&, const GlobalFlags&);
    ~Session();

    const GlobalFlags& flags() const { return flags_; }
    Context& context() { return context_; }
    Clock& clock() { return context_.clock; }
    const term::Terminal& terminal() const { return terminal_; }
    /// The story on stderr; hand it down as Reporter&. Commands in what it tells are completed.
    term::Story& story() { return *story_; }

    /// These connect when first asked: the kubeconfig is read, but no request is sent yet.
    const kube::Connection& connection();
    net::Transport& transport();
    kube::Client& client();

    /// See kube::Client; what a program in the pod has done is no part of that.
    bool has_lost_write() const;
    /// The resolver for the API server's name; none where a proxy resolves it: the name may mean nothing
    /// here, and asking for it would only take the resolver's time, which no Ctrl-C ends.
    hermes::Resolve resolve();

    /// Notes an installation that the command is about: a refusal is explained by what it needs there.
    /// `in_file`: see GlobalFlags.
    void works_on(hermes::Names names, std::vector<std::string> in_file) {
        instances_.push_back(std::move(names));
        in_files_.push_back(std::move(in_file));
    }
    bool several() const { return instances_.size() > 1; }
    /// The one among them that it is about now: commands to type name it where -f alone would not.
    void turns_to(const hermes::Names&);
    /// The flags of commands to type: typed later, they mean the same cluster and instance.
    const GlobalFlags& typed_flags() const { return typed_flags_; }

    /// A refusal with everything else that this work would be refused; any other error as it is.
    Error explained(hermes::Work, const kube::ApiError&);

    /// Tells where a changing command works: context, server and namespace.
    void announce(std::string_view ns);
    /// What is about to be done; with -q kept until it is what a yes or an error is about.
    void show_plan(std::string text);
    void show_kept_plan();
    /// What only adds or updates our own objects is asked for at a terminal alone. What takes something away
    /// or overwrites it (`takes`) needs a yes everywhere, and its plan is shown also with -q and -y. Throws
    /// Error{failed} for a no, and where a yes is needed and nobody can be asked, Error{usage} that names -y.
    /// `changed`: whether anything has been already; else a no says that nothing was.
    void confirm(const std::string& question, bool takes, bool changed = false);
    /// The result on stdout, as --output says. `text` ends with a newline, or is empty. Commands in it are
    /// completed (see completed_hint).
    void print_result(kube::Json json, std::string_view text);
    /// The same for what is handed on (YAML, say): as it is.
    void print_exact(kube::Json json, std::string_view text);
    /// The same while there is more to do or to tell: as JSON it goes into one document with the error. That
    /// nobody reads it ends nothing: the result in the end says so.
    void print_partial(kube::Json json, std::string_view text);
    /// Throws Error{usage} with this reason where JSON is wanted: a command that has none says so.
    void refuse_json(std::string_view why) const;
    kube::Json take_partial() { return std::exchange(partial_, kube::Json::object()); }

  private:
    struct Cluster;
    Cluster& cluster();
    void write(const std::string& text);

    Context& context_;
    const GlobalFlags& flags_;
    GlobalFlags typed_flags_;
    term::Terminal terminal_;
    std::unique_ptr<term::Story> story_;
    std::unique_ptr<Cluster> cluster_;
    std::vector<hermes::Names> instances_{};
    std::vector<std::vector<std::string>> in_files_{};  // of each of them
    kube::Json partial_ = kube::Json::object();
    std::string kept_plan_{};
};

/// JSON for stdout: every string scrubbed, bytes that are not UTF-8 replaced, a newline at the end.
std::string json_text(kube::Json);

}  // namespace hermesctl::cli
