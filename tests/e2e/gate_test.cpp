// The gate on a real node: where nothing enforces NetworkPolicy no agent starts, and a running one is left
// alone.
#include "e2e/node.hpp"
#include "hermesctl/base/clock.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>

#include <fmt/format.h>

namespace hermesctl::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Gate : public EnforcedNode {
  protected:
    /// Pods of the test's namespace, each with the gate or without, that connect to a host of the LAN and to
    /// the DNS's metrics port, the gate's own witness, from their first instant on, for as long as the window
    /// of an enforcer lasts; how many got through.
    int get_through(int pods, bool gate) {
        const Json deployment = get("deployment/hermes");
        Json spec = deployment["spec"]["template"]["spec"];
        const char* attempt =
            "import socket,sys,time\n"
            "end=time.monotonic()+2\n"
            "while time.monotonic()<end:\n"
            "  for target in ('192.168.50.10',22),('10.43.0.10',9153):\n"
            "    s=socket.socket(); s.settimeout(0.2)\n"
            "    if s.connect_ex(target)==0: sys.exit('open')\n"
            "    s.close()\n"
            "  time.sleep(0.01)\n";
        Json list = Json::array();
        for (int i = 0; i < pods; ++i) {
            Json pod{{"apiVersion", "v1"},
                     {"kind", "Pod"},
                     {"metadata",
                      {{"name", fmt::format("window-{}-{}", gate ? "gate" : "bare", i)},
                       {"namespace", ns()},
                       {"labels", {{"app", "hermes"}, {"window", gate ? "gate" : "bare"}}}}},
                     {"spec",
                      {{"restartPolicy", "Never"},
                       {"automountServiceAccountToken", false},
                       {"containers",
                        {{{"name", "attempt"},
                          {"image", spec["containers"][0]["image"]},
                          {"command", {"/usr/bin/python3", "-I", "-S", "-c", attempt}}}}}}}};
            if (gate) pod["spec"]["initContainers"] = Json::array({spec["initContainers"][0]});
            list.push_back(pod);
        }
        const Finished made = kubectl({"apply", "-f", "-"},
                                      Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", list}}.dump());
        EXPECT_EQ(made.code, 0) << made.err;
        const std::string label = fmt::format("window={}", gate ? "gate" : "bare");
        int ended = 0;
        for (int i = 0; i < 120 && ended < pods; ++i) {
            system_clock().sleep(1s);
            ended = count(label, "{.items[*].status.phase}", "Failed") +
                    count(label, "{.items[*].status.phase}", "Succeeded");
        }
        EXPECT_EQ(ended, pods) << "some did not end";
        const std::string codes = "{.items[*].status.containerStatuses[*].state.terminated.exitCode}";
        const int through = count(label, codes, "1");
        EXPECT_EQ(through + count(label, codes, "0"), pods)
            << "a gate failed, and nothing was tried behind it";
        kubectl({"-n", ns(), "delete", "pods", "-l", label});
        return through;
    }

    int count(const std::string& label, const std::string& path, const std::string& word) {
        std::istringstream words(
            kubectl({"-n", ns(), "get", "pods", "-l", label, "-o", "jsonpath=" + path}).out);
        return static_cast<int>(std::count(std::istream_iterator<std::string>(words),
                                           std::istream_iterator<std::string>(), word));
    }
};

TEST_F(Gate, WhereNothingEnforcesNoAgentStarts) {
    node({"enforcer", "none"});
    const Finished done = hermesctl(deploy_arguments());
    EXPECT_EQ(done.code, 1) << done.out << done.err;
    EXPECT_THAT(done.err, AllOf(HasSubstr("nothing enforces NetworkPolicy"), HasSubstr("10.43.0.10:9153"),
                                HasSubstr("--disable-network-policy")));
    const std::string started =
        kubectl({"-n", ns(), "get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].started}"})
            .out;
    EXPECT_EQ(started, "false");

    // Somebody repairs the cluster: the kubelet tries the gate again by itself.
    node({"enforcer", usual_});
    kubectl({"-n", ns(), "delete", "pods", "--all", "--wait=false"});  // its back-off is minutes long by now
    const Finished waited = hermesctl({"wait"});
    EXPECT_EQ(waited.code, 0) << waited.err;
    EXPECT_THAT(ask("held"), HasSubstr("you said 'held'"));
}

TEST_F(Gate, ARunningAgentIsLeftAloneWhereNothingEnforcesAnyMore) {
    ASSERT_EQ(hermesctl(deploy_arguments()).code, 0);
    const std::vector<std::string> agents{
        "-n", ns(), "get", "pods", "-l", "pod-template-hash", "-o", "jsonpath={.items[*].metadata.uid}"};
    const std::string pod = kubectl(agents).out;
    node({"enforcer", "none"});
    const Finished refused =
        hermesctl({"deploy", "-y", "--image", "docker.io/nousresearch/hermes-agent:v0.19.0"});
    EXPECT_EQ(refused.code, 1) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("nothing enforces NetworkPolicy"));
    EXPECT_EQ(kubectl(agents).out, pod);
    EXPECT_EQ(kubectl({"-n", ns(), "get", "jobs", "-o", "name"}).out, "") << "the proof's own";
    EXPECT_THAT(ask("still there"), HasSubstr("you said 'still there'"));

    const Finished forced = hermesctl({"deploy", "-y", "--no-gate", "--no-wait"});
    EXPECT_EQ(forced.code, 0) << forced.err;
    EXPECT_THAT(hermesctl({"status", "--no-check"}).out, HasSubstr("gate is off"));
}

TEST_F(Gate, NoConnectionGetsThroughFromAPodsFirstInstantOn) {
    ASSERT_EQ(hermesctl(deploy_arguments({"--no-wait"})).code, 0);
    for (const auto& [enforcer, tens] : std::map<std::string, int>{{"agent", 2}, {usual_, 5}}) {
        node({"enforcer", enforcer});
        int bare = 0;
        for (int i = 0; i < 3 && bare == 0; ++i)  // on a busy machine an enforcer may be the faster one
            bare = get_through(10, false);
        std::cout << enforcer << ": without the gate " << bare << " of 10 pods got through\n";
        EXPECT_GT(bare, 0) << enforcer << ": without a window this proves nothing";
        for (int i = 0; i < tens; ++i)
            EXPECT_EQ(get_through(10, true), 0) << enforcer;
    }
}

}  // namespace
}  // namespace hermesctl::e2e
