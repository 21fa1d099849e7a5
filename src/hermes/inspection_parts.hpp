// What the rows of the inspection share: how findings become a row, and what they look at.
#pragma once

#include "hermesctl/hermes/inspection.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

struct Heading {
    const char* id = "";
    const char* group = "";
    const char* title = "";
};

/// Gathers what one row finds. The worst decides, and its first hint is the row's.
class Findings {
  public:
    void fail(std::string what, std::string hint) { add(Verdict::fail, std::move(what), std::move(hint)); }
    void unknown(std::string why, std::string hint) {
        add(Verdict::inconclusive, std::move(why), std::move(hint));
    }
    void warn(std::string what, std::string hint) { add(Verdict::warn, std::move(what), std::move(hint)); }
    /// `well`: what is seen when nothing was found. A warning never decides.
    Check row(const Heading&, const std::string& well) const;

  private:
    struct Finding {
        Verdict verdict = Verdict::fail;
        std::string what{};
        std::string hint{};
    };
    void add(Verdict, std::string what, std::string hint);
    std::vector<Finding> all_{};
};

/// A pod of the instance; or the Deployment's template, which stands for a pod that is not there.
struct Subject {
    std::string title{};  // "pod/hermes-abc"
    const Json* pod = nullptr;
    bool of_deployment = true;  // else a pod that somebody made by hand, or a Job's
};
/// One of the Deployment is always among them.
std::vector<Subject> subjects_of(const Premises&);
/// The one that is looked into.
Subject newest_subject(const Premises&);
/// The template alone proves nothing of what runs.
void note_missing_pods(const Premises&, Findings&);

enum class Role { agent, init, debug };
struct Container {
    std::string title{};  // "container hermes of pod/hermes-abc"
    const Json* spec = nullptr;
    Role role = Role::agent;  // agent: any that runs beside the agent
};
/// All of a pod: init containers and debug (ephemeral) ones too.
std::vector<Container> containers_of(const Subject&);

/// The names of the Secrets that its containers are given, as files or variables.
std::set<std::string> secrets_of(const Subject&);

/// The command that takes away what was added by hand: deploy keeps such fields.
std::string take_out(const Premises&, const Subject&);
/// The command that brings back what the manifests say.
std::string put_back(const Premises&, const Subject&, const Container&);

/// False, and why in the findings, when the inside of the pod could not be seen.
bool looked_inside(const Premises&, Findings&);

/// The command that shows a file of the agent's; the pod may have made up its path.
std::string show_file(const std::string& path);
/// Files of the agent (as inspect.py tells of them) that may not be read are no proof of anything.
void note_unread(const Json& files, Findings&);
/// How a line goes out of one of those files; `name`: the variable that it sets, if it sets one.
std::string take_out_of(const std::string& path, const std::string& name);

Check check_secrets(const Premises&);
Check check_env_file(const Premises&);

/// The Secret's values that are worth looking for elsewhere, by name.
std::map<std::string, std::string> credentials_of(const Reading& secret);

}  // namespace hermesctl::hermes
