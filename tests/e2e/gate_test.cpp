// The gate on a real node: where nothing enforces NetworkPolicy no agent starts, and a running one is left
// alone.
#include "e2e/node.hpp"
#include "hermesctl/base/clock.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>

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
        const kube::Selector these{.label = fmt::format("window={}", gate ? "gate" : "bare")};
        std::vector<Json> all;
        EXPECT_TRUE(comes_true([&] {
            all = client().list("Pod", ns(), these);
            return std::ranges::all_of(all, [](const Json& pod) {
                const std::string phase = kube::text_at(pod, "/status/phase");
                return phase == "Failed" || phase == "Succeeded";
            });
        })) << "some did not end";
        std::map<std::int64_t, int> codes;  // how often each
        for (const Json& pod : all) {
            ++codes[kube::int_at(pod, "/status/containerStatuses/0/state/terminated/exitCode", -1)];
            client().remove(kube::ref_of(pod));
        }
        EXPECT_EQ(codes[0] + codes[1], pods) << "a gate failed, and nothing was tried behind it";
        EXPECT_TRUE(comes_true([&] { return client().list("Pod", ns(), these).empty(); }));
        return codes[1];
    }
};

TEST_F(Gate, WhereNothingEnforcesNoAgentStartsAndOneThatRunsIsLeftAlone) {
    node({"enforcer", "none"});
    const Finished done = hermesctl(deploy_arguments());
    EXPECT_EQ(done.code, 1) << done.out << done.err;
    EXPECT_THAT(done.err, AllOf(HasSubstr("nothing enforces NetworkPolicy"), HasSubstr("10.43.0.10:9153"),
                                HasSubstr("--disable-network-policy")));
    const std::vector<Json> pods = client().list("Pod", ns());
    ASSERT_EQ(pods.size(), 1u);
    EXPECT_FALSE(kube::bool_at(pods[0], "/status/containerStatuses/0/started", true));

    // Somebody repairs the cluster: the kubelet tries the gate again by itself.
    node({"enforcer", usual_});
    client().remove(kube::ref_of(pods[0]));  // its back-off is minutes long by now
    const Finished waited = hermesctl({"wait"});
    EXPECT_EQ(waited.code, 0) << waited.err;
    EXPECT_TRUE(answers());

    // And breaks it again.
    const std::string pod = pod_uids("pod-template-hash");
    node({"enforcer", "none"});
    const Finished refused =
        hermesctl({"deploy", "-y", "--image", "docker.io/nousresearch/hermes-agent:v0.19.0"});
    EXPECT_EQ(refused.code, 1) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("nothing enforces NetworkPolicy"));
    EXPECT_EQ(pod_uids("pod-template-hash"), pod);
    EXPECT_TRUE(client().list("Job", ns()).empty()) << "the proof's own";
    EXPECT_TRUE(answers());

    const Finished forced = hermesctl({"deploy", "-y", "--no-gate", "--no-wait"});
    EXPECT_EQ(forced.code, 0) << forced.err;
    EXPECT_THAT(hermesctl({"status", "--no-check"}).out, HasSubstr("gate is off"));
}

TEST_F(Gate, NoConnectionGetsThroughFromAPodsFirstInstantOn) {
    // The gate as deploy makes it, and without an agent beside it.
    ASSERT_EQ(hermesctl(deploy_arguments({"--no-wait"})).code, 0);
    ASSERT_EQ(hermesctl({"stop", "--now", "-y"}).code, 0);
    for (const std::string& enforcer : enforcers()) {
        node({"enforcer", enforcer});
        int bare = 0;
        for (int i = 0; i < 3 && bare == 0; ++i)  // on a busy machine an enforcer may be the faster one
            bare = get_through(10, false);
        std::cout << enforcer << ": without the gate " << bare << " of 10 pods got through\n";
        EXPECT_GT(bare, 0) << enforcer << ": without a window this proves nothing";
        EXPECT_EQ(get_through(10, true), 0) << enforcer;
    }
}

}  // namespace
}  // namespace hermesctl::e2e
