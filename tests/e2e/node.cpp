#include "e2e/node.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <fmt/format.h>

namespace hermesctl::e2e {

std::string Node::setting(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

void Node::SetUp() {
    kubeconfig_ = setting("HERMESCTL_E2E_KUBECONFIG");
    binary_ = setting("HERMESCTL_BINARY");
    if (kubeconfig_.empty() || binary_.empty() || setting("HERMES_TEST_TOKEN").empty()) {
        GTEST_SKIP()
            << "no node: scripts/test boots one and sets HERMESCTL_E2E_KUBECONFIG and HERMESCTL_BINARY";
    }
    std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    use_namespace("e2e-" + name.substr(0, 40));
    node({"world", "reset"});  // a run that was killed has left its faults
}

void Node::use_namespace(const std::string& name) {
    ns_ = name;
    namespaces_.push_back(name);
    const Finished gone = kubectl({"delete", "namespace", name, "--ignore-not-found", "--timeout=150s"});
    EXPECT_EQ(gone.code, 0) << gone.err;
}

void Node::TearDown() {
    if (binary_.empty() || kubeconfig_.empty()) return;
    node({"world", "reset"});
    // Another test's bot has the same token, so its pods have to be gone. What else goes with a namespace
    // goes beside the next test: the namespace controller looks again only after a pod's whole grace period.
    for (const std::string& name : namespaces_) {
        const Finished going = kubectl({"delete", "namespace", name, "--ignore-not-found", "--wait=false"});
        EXPECT_EQ(going.code, 0) << going.err;
    }
    for (const std::string& name : namespaces_) {
        const Finished gone =
            kubectl({"-n", name, "wait", "--for=delete", "pods", "--all", "--timeout=150s"});
        EXPECT_EQ(gone.code, 0) << gone.err;
    }
}

std::unique_ptr<Command> Node::start_hermesctl(std::vector<std::string> arguments,
                                               const Command::Settings& settings, const std::string& input) {
    std::vector<std::string> argv{binary_, "--kubeconfig", kubeconfig_, "-n", ns_};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return std::make_unique<Command>(std::move(argv), settings, input);
}

Finished Node::hermesctl(std::vector<std::string> arguments, const Command::Settings& settings,
                         const std::string& input) {
    std::vector<std::string> argv{binary_, "--kubeconfig", kubeconfig_, "-n", ns_};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return testing::finished(std::move(argv), settings, input);
}

std::vector<std::string> Node::deploy_arguments(std::vector<std::string> more) const {
    std::vector<std::string> all{"deploy",
                                 "--allow-user",
                                 setting("HERMES_TEST_USER"),
                                 "--secret",
                                 "TELEGRAM_BOT_TOKEN=env:HERMES_TEST_TOKEN",
                                 "--secret",
                                 "MINIMAX_API_KEY=env:HERMES_TEST_KEY",
                                 "-y"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

void Node::deploy_well() {
    const Finished done = hermesctl(deploy_arguments());
    ASSERT_EQ(done.code, 0) << done.out << done.err;
}

Finished Node::kubectl(std::vector<std::string> arguments, const std::string& input) {
    // Without `node kubectl` around it: the tests call it many hundred times.
    std::vector<std::string> argv{setting("HERMES_TEST_KUBE"), "kubectl", "--kubeconfig", kubeconfig_};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return testing::finished(std::move(argv), {{"NO_PROXY", "*"}, {"no_proxy", "*"}}, input);
}

Json Node::get(const std::string& what) {
    const Finished answer = kubectl({"-n", ns_, "get", what, "-o", "json", "--show-managed-fields"});
    EXPECT_EQ(answer.code, 0) << answer.err;
    return Json::parse(answer.out, nullptr, false);
}

std::string Node::node(std::vector<std::string> arguments) {
    std::vector<std::string> argv{SOURCE_DIR "/tests/node/node"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const Finished done = testing::finished(std::move(argv));
    EXPECT_EQ(done.code, 0) << fmt::format("node {}: {}{}", fmt::join(arguments, " "), done.out, done.err);
    return done.out;
}

std::string Node::proxied_kubeconfig() {
    std::istringstream settings(node({"env", "--proxy"}));
    std::string proxied;
    for (std::string line; std::getline(settings, line);) {
        const std::size_t at = line.find("KUBECONFIG=");
        if (at != std::string::npos) proxied = line.substr(at + 11);
    }
    std::erase(proxied, '\'');
    std::erase(proxied, '"');
    return proxied;
}

std::string Node::ask(const std::string& text, int seconds) {
    return testing::finished(
               {SOURCE_DIR "/tests/node/node", "say", text, "--timeout", std::to_string(seconds)})
        .out;
}

void EnforcedNode::SetUp() {
    Node::SetUp();
    if (IsSkipped()) return;
    usual_ = node({"enforcer", "which"});
    usual_.erase(usual_.find_last_not_of("\n ") + 1);
}

void EnforcedNode::TearDown() {
    if (!usual_.empty()) node({"enforcer", usual_});
    Node::TearDown();
}

}  // namespace hermesctl::e2e
