// The node of tests/node as the e2e tests see it: hermesctl run against it, kubectl, the bot's user, faults.
#pragma once

#include "support/command.hpp"
#include "support/session.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace hermesctl::e2e {

using kube::Json;
using testing::Command;
using testing::Finished;

/// Skips without a node: HERMESCTL_E2E_KUBECONFIG, HERMESCTL_BINARY and what `tests/node/node env` prints.
class Node : public ::testing::Test {
  protected:
    /// Whose the namespace is, with all that is in it. A suite that shares one has an agent in it from its
    /// first test on, and is one test for ctest.
    enum class Scope { test, suite };
    explicit Node(Scope scope = Scope::test) : scope_(scope) {}

    void SetUp() override;
    /// Faults end, and what was made in the namespaces goes: pods at once, the rest beside the next test.
    void TearDown() override;

    /// hermesctl against the node, in this test's namespace unless the arguments name one.
    Finished hermesctl(std::vector<std::string> arguments, const Command::Settings& settings = {},
                       const std::string& input = {});
    std::unique_ptr<Command> start_hermesctl(std::vector<std::string> arguments,
                                             const Command::Settings& settings = {},
                                             const std::string& input = {});
    /// `deploy` with everything it needs, from the environment.
    std::vector<std::string> deploy_arguments(std::vector<std::string> more = {}) const;
    /// That `deploy`; the test ends if it fails.
    void deploy_well();

    /// In this process, for what is asked often: each start of kubectl is a tenth of a second of processor
    /// time.
    kube::Client& client() { return session_->client; }
    bool exists(const std::string& kind, const std::string& name);
    /// Of the namespace's pods with this label, or of all of them.
    std::string pod_uids(const std::string& label = {});
    /// Asks until it is so; false when the limit passes before.
    static bool comes_true(const std::function<bool()>& it_is_so,
                           std::chrono::seconds limit = testing::patience);

    /// Kills a change in the middle of its work on a slow line, which heals; the lease, which would tell of
    /// it for half a minute, goes as if that had passed.
    void kill(Command& running);

    Finished kubectl(std::vector<std::string> arguments, const std::string& input = {});
    Json get(const std::string& what);
    /// Pod Security's, of this test's namespace.
    void enforce_level(const std::string& level);
    /// What this prints in the container, run by a shell as the agent; the test fails where a command does.
    std::string in_pod(const std::string& script);
    /// tests/node/node VERB...; the test fails if it does.
    std::string node(std::vector<std::string> arguments);
    /// By way of the proxy that `node proxy` makes slow; "" when there is none.
    std::string proxied_kubeconfig();
    /// The bot's answer to a message of a user, the allowed one if none is named; "" when none came.
    std::string ask(const std::string& text, const std::string& user = setting("HERMES_TEST_USER"));
    /// Whether the gateway answers that user, by a command of its own: a new one's first turn of the model,
    /// for which ask() is, takes as much of the processor as its start.
    bool answers(const std::string& user = setting("HERMES_TEST_USER"));
    static constexpr const char* version_answer = "Hermes Agent v";  // what it says then
    /// Of this test; what an earlier run has left in it goes.
    void use_namespace(const std::string& name);

    const std::string& ns() const { return ns_; }
    const std::string& kubeconfig() const { return kubeconfig_; }
    static std::string setting(const char* name);
    /// Whether this test is its suite's first one, or its last one, of those that run.
    static bool is_first();
    static bool is_last();

  private:
    void remove_what_was_killed();
    void remove(const std::vector<std::string>& namespaces);

    Scope scope_;
    std::unique_ptr<testing::Session> session_{};
    std::string kubeconfig_{};
    std::string binary_{};
    std::string ns_{};
    std::vector<std::string> namespaces_{};
};

/// For tests that change who enforces policies: afterwards it is who it was.
class EnforcedNode : public Node {
  protected:
    using Node::Node;
    void SetUp() override;
    void TearDown() override;

    /// All that there are: kube-router, where it is installed, which enforces then, and the agent.
    static std::vector<std::string> enforcers();

    std::string usual_{};  // enforcer
};

}  // namespace hermesctl::e2e
