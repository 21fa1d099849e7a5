#include "e2e/node.hpp"

#include "hermesctl/kube/kubeconfig.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <signal.h>

namespace hermesctl::e2e {

using namespace std::chrono_literals;

namespace {

std::vector<const ::testing::TestInfo*> tests_that_run() {
    const auto& suite = *::testing::UnitTest::GetInstance()->current_test_suite();
    std::vector<const ::testing::TestInfo*> all;
    for (int i = 0; i < suite.total_test_count(); ++i) {
        if (suite.GetTestInfo(i)->should_run()) all.push_back(suite.GetTestInfo(i));
    }
    return all;
}

}  // namespace

bool Node::is_first() {
    return tests_that_run().front() == ::testing::UnitTest::GetInstance()->current_test_info();
}

bool Node::is_last() {
    return tests_that_run().back() == ::testing::UnitTest::GetInstance()->current_test_info();
}

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
    static const Environment no_proxy{};
    const kube::Connection connection =
        kube::load_connection({.file = kubeconfig_}, no_proxy, system_clock());
    session_ = std::make_unique<testing::Session>(connection.endpoint);
    const bool shares = scope_ == Scope::suite;
    const auto& running = *::testing::UnitTest::GetInstance();
    std::string name = shares ? running.current_test_suite()->name() : running.current_test_info()->name();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    name = "e2e-" + name.substr(0, 40);
    if (shares && !is_first()) {
        ns_ = name;
        namespaces_ = {name};
        return;
    }
    remove_what_was_killed();
    use_namespace(name);
    if (shares) deploy_well();
}

/// A run that was killed has left its faults, and a bot with the same token.
void Node::remove_what_was_killed() {
    std::vector<std::string> left;
    for (const Json& one : client().list("Namespace", "")) {
        const std::string name = kube::text_at(one, "/metadata/name");
        if (name.starts_with("e2e-") && kube::at(one, "/metadata/deletionTimestamp").is_null())
            left.push_back(name);
    }
    if (left.empty()) return;
    node({"world", "reset"});
    remove(left);
}

void Node::use_namespace(const std::string& name) {
    ns_ = name;
    namespaces_.push_back(name);
    client().remove({"Namespace", "", name});
    EXPECT_TRUE(comes_true([&] { return !exists("Namespace", name); })) << name << " does not go";
}

void Node::TearDown() {
    if (!session_) return;
    node({"world", "reset"});
    if (scope_ == Scope::test || is_last()) remove(namespaces_);
}

/// Another test's bot has the same token, so its pods have to be gone, and without their grace. What else
/// goes with a namespace goes beside the next test.
void Node::remove(const std::vector<std::string>& namespaces) {
    for (const std::string& name : namespaces)
        client().remove({"Namespace", "", name});
    for (const std::string& name : namespaces) {
        for (const Json& pod : client().list("Pod", name))
            client().remove(kube::ref_of(pod), {.grace_seconds = 1});
    }
    for (const std::string& name : namespaces)
        EXPECT_TRUE(comes_true([&] { return client().list("Pod", name).empty(); })) << name;
}

bool Node::exists(const std::string& kind, const std::string& name) {
    return client().get({kind, kind == "Namespace" ? "" : ns_, name}).has_value();
}

std::string Node::pod_uids(const std::string& label) {
    std::vector<std::string> uids;
    for (const Json& pod : client().list("Pod", ns_, {.label = label}))
        uids.push_back(kube::text_at(pod, "/metadata/uid"));
    return fmt::format("{}", fmt::join(uids, " "));
}

bool Node::comes_true(const std::function<bool()>& it_is_so, std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    // The longer it takes, the more rarely: to ask takes the processors from others.
    for (auto pause = 200ms; !it_is_so(); pause = std::min(pause * 3 / 2, 2000ms)) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(pause);
    }
    return true;
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

void Node::kill(Command& running) {
    EXPECT_TRUE(running.running()) << running.all();
    running.signal(SIGKILL);
    running.wait();
    node({"proxy", "heal"});
    EXPECT_TRUE(client().remove({"Lease", ns_, "hermes-hermesctl"}));
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

void Node::enforce_level(const std::string& level) {
    const Finished done =
        kubectl({"label", "--overwrite", "namespace", ns_, "pod-security.kubernetes.io/enforce=" + level});
    ASSERT_EQ(done.code, 0) << done.err;
}

std::string Node::in_pod(const std::string& script) {
    const Finished done = hermesctl({"exec", "--", "/bin/sh", "-ec", script});
    EXPECT_EQ(done.code, 0) << done.err;
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

std::string Node::ask(const std::string& text, const std::string& user) {
    const Finished done =
        testing::finished({SOURCE_DIR "/tests/node/node", "say", text, "--from", user, "--timeout", "170"});
    EXPECT_LT(done.code, 2) << done.err;
    return done.out;
}

bool Node::answers(const std::string& user) {
    return ask("/version", user).find(version_answer) != std::string::npos;
}

void EnforcedNode::SetUp() {
    Node::SetUp();
    if (IsSkipped()) return;
    usual_ = node({"enforcer", "which"});
    usual_.erase(usual_.find_last_not_of("\n ") + 1);
}

std::vector<std::string> EnforcedNode::enforcers() {
    const Finished found = testing::finished({SOURCE_DIR "/tests/node/node", "enforcer", "kube-router"});
    if (found.code != 0) EXPECT_THAT(found.err, ::testing::HasSubstr("no kube-router here"));
    return found.code == 0 ? std::vector<std::string>{"kube-router", "agent"}
                           : std::vector<std::string>{"agent"};
}

void EnforcedNode::TearDown() {
    if (!usual_.empty()) node({"enforcer", usual_});
    Node::TearDown();
}

}  // namespace hermesctl::e2e
