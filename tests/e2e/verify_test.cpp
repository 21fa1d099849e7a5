// verify on the node: what the policies say, and what the pod really reaches, with each enforcer; each fault
// of the guide's checklist is found by the row that should find it, and by no other.
#include "e2e/node.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <signal.h>

namespace hermesctl::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;
using ::testing::Not;

using Ids = std::set<std::string>;
constexpr auto lan_host = "192.168.50.10:22";
// As Python has them.
constexpr auto api_server = "('10.43.0.1', 443)";
constexpr auto lan_place = "('192.168.50.10', 22)";

class Verify : public EnforcedNode {
  protected:
    Verify() : EnforcedNode(Scope::suite) {}
    void TearDown() override {
        for (const kube::Ref& one : made_)
            client().remove(one);
        EnforcedNode::TearDown();
    }

    struct Answer {
        int code = 0;
        std::map<std::string, Json> rows{};
        std::string text{};
        /// The ids of the rows with this verdict.
        Ids with(const std::string& verdict) const {
            Ids ids;
            for (const auto& [id, row] : rows) {
                if (row["verdict"] == verdict) ids.insert(id);
            }
            return ids;
        }
    };
    Answer verify(std::vector<std::string> more = {}) {
        std::vector<std::string> arguments{"verify", "-o", "json", "--lan-target", lan_host};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Finished done = hermesctl(arguments);
        EXPECT_THAT(done.out + done.err, Not(HasSubstr(setting("HERMES_TEST_TOKEN"))));
        Answer answer{.code = done.code, .text = done.out + done.err};
        const Json whole = Json::parse(done.out, nullptr, false);
        for (const Json& row : kube::at(whole, "/checks"))
            answer.rows[row["id"]] = row;
        return answer;
    }
    /// What fails of other families than these, or though it has to be in reach: a false alarm.
    static Ids beside(const Ids& failed, const std::vector<std::string>& families) {
        Ids others;
        std::ranges::copy_if(failed, std::inserter(others, others.end()), [&](const std::string& id) {
            const bool lifeline = id == "live-telegram" || id == "live-provider";
            return lifeline || std::ranges::none_of(families, [&](const std::string& family) {
                       return id.starts_with(family);
                   });
        });
        return others;
    }
    void use_enforcer(const std::string& name) {
        node({"enforcer", name});
        wait_until_reached(api_server, name == "none");
    }
    void run(std::vector<std::string> arguments, const std::string& input = {}) {
        arguments.insert(arguments.begin(), {"-n", ns()});
        const Finished done = kubectl(arguments, input);
        ASSERT_EQ(done.code, 0) << done.err;
    }
    /// A policy of somebody else's for all pods of the namespace.
    void open(const std::string& name, const std::string& egress) {
        const std::string policy = fmt::format(R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {}}}
spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{}]}}
)",
                                               name, egress);
        run({"apply", "-f", "-"}, policy);
        made_.push_back({"NetworkPolicy", ns(), name});
    }
    /// The rows of the guide's checklist find these ("id=VERDICT"), and pass but for those that are never
    /// applicable.
    void expect_checklist(Ids expected) {
        const Answer answer = verify({"--quick"});
        EXPECT_THAT(answer.text, Not(HasSubstr(setting("HERMES_TEST_KEY"))));
        Ids found;
        int rows = 0;
        for (const auto& [id, row] : answer.rows) {
            const std::string family = id.substr(0, id.find('-'));
            if (family != "identity" && family != "host" && family != "exposure" && family != "agent")
                continue;
            ++rows;
            const std::string verdict = row.value("verdict", "");
            if (verdict != "PASS") found.insert(id + "=" + verdict);
        }
        EXPECT_EQ(rows, 22) << answer.text;
        expected.insert({"exposure-routes=NOT-APPLICABLE", "host-hardened=NOT-APPLICABLE"});
        EXPECT_EQ(found, expected) << answer.text;
    }
    /// As soon as the enforcer has what was changed.
    void wait_until_reached(const std::string& place, bool reached) {
        const std::string script = fmt::format(
            "import socket, sys\nline = socket.socket()\nline.settimeout(2)\n"
            "sys.exit(7 if line.connect_ex({}) else 0)\n",
            place);
        EXPECT_TRUE(comes_true([&] {
            const Finished tried = hermesctl({"exec", "--", "/usr/bin/python3", "-I", "-S", "-c", script});
            return tried.code == (reached ? 0 : 7);
        })) << place;
    }
    /// Jobs and pods of twins.
    std::size_t leftovers() {
        const kube::Selector twins{.label = "app.kubernetes.io/component=twin"};
        return client().list("Job", ns(), twins).size() + client().list("Pod", ns(), twins).size();
    }
    /// verify, once it has made its twin: it says so then.
    std::unique_ptr<Command> verify_with_its_twin() {
        auto running = start_hermesctl({"verify", "--lan-target", lan_host});
        EXPECT_TRUE(running->says("from the twin too")) << running->all();
        return running;
    }
    void expect_no_twin_within(std::chrono::seconds limit) {
        EXPECT_TRUE(comes_true([&] { return leftovers() == 0; }, limit));
    }

    std::vector<kube::Ref> made_{};  // by this test, for which the next one is not prepared
};

TEST_F(Verify, ACleanInstallationHoldsWithEachEnforcer) {
    for (const std::string& enforcer : enforcers()) {
        use_enforcer(enforcer);
        const Answer answer = verify();
        EXPECT_EQ(answer.code, 0) << enforcer << answer.text;
        EXPECT_EQ(answer.with("FAIL"), Ids{}) << answer.text;
        EXPECT_EQ(answer.with("WARN"), Ids{}) << answer.text;
        EXPECT_EQ(answer.with("INCONCLUSIVE"), Ids{}) << answer.text;
        for (const char* id :
             {"live-api", "live-kubelet", "live-dns-ports", "live-lan", "live-resolvers", "live-telegram"})
            EXPECT_EQ(answer.rows.at(id)["verdict"], "PASS") << id;
        EXPECT_EQ(leftovers(), 0u);
    }
}

TEST_F(Verify, WhereNothingEnforcesThePodReachesWhatTheTwinReaches) {
    node({"enforcer", "none"});
    const Answer answer = verify();
    EXPECT_EQ(answer.code, 1);
    EXPECT_THAT((std::vector<std::string>{"live-api", "live-kubelet", "live-dns-ports", "live-lan"}),
                IsSubsetOf(answer.with("FAIL")))
        << answer.text;
    EXPECT_EQ(beside(answer.with("FAIL"), {"live-"}), Ids{})
        << "the policies are as they should be, and all else: " << answer.text;
    EXPECT_EQ(verify({"--quick"}).code, 1);
}

TEST_F(Verify, WhatPoliciesOfOthersOpenIsFoundWithEachEnforcer) {
    open("names", "{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}");
    open("lan", "{to: [{ipBlock: {cidr: 192.168.0.0/16}}], ports: [{port: 22}]}");
    wait_until_reached(lan_place, true);
    for (const std::string& enforcer : enforcers()) {
        use_enforcer(enforcer);
        const Answer answer = verify();
        EXPECT_EQ(answer.code, 1) << enforcer;
        EXPECT_THAT(answer.rows.at("policy-leaks")["evidence"].get<std::string>(),
                    HasSubstr(":22 by rule 1 of networkpolicy/lan"));
        EXPECT_EQ(answer.with("FAIL"), Ids({"policy-leaks", "live-lan", "policy-pods"}))
            << enforcer << answer.text;
        EXPECT_THAT(answer.text, HasSubstr("networkpolicy/lan and networkpolicy/names select the twin too"));
    }
    // Where nothing enforces, what the policies say is found all the same.
    use_enforcer("none");
    const Ids found = verify().with("FAIL");
    EXPECT_THAT((Ids{"policy-leaks", "policy-pods", "live-lan", "live-kubelet"}), IsSubsetOf(found));
    EXPECT_FALSE(found.contains("policy-present"));
}

TEST_F(Verify, TheTwinGoesOnCtrlCAndWhenHermesctlIsKilled) {
    for (const int number : {SIGINT, SIGTERM}) {
        const auto running = verify_with_its_twin();
        running->signal(number);
        EXPECT_EQ(running->wait(), 130) << running->all();
        expect_no_twin_within(45s);  // before its own deadline, which is a minute
    }
    const auto running = verify_with_its_twin();
    running->signal(SIGKILL);
    expect_no_twin_within(testing::patience);
}

TEST_F(Verify, APolicyThatIsGoneIsFoundWithEachEnforcer) {
    for (const std::string& enforcer : enforcers()) {
        use_enforcer(enforcer);
        ASSERT_TRUE(client().remove({"NetworkPolicy", ns(), "hermes-egress"}));
        wait_until_reached(lan_place, true);
        const Answer answer = verify();
        EXPECT_EQ(answer.code, 1);
        EXPECT_EQ(answer.rows.at("policy-present")["verdict"], "FAIL") << enforcer;
        EXPECT_EQ(answer.rows.at("live-lan")["verdict"], "FAIL") << enforcer;
        EXPECT_EQ(beside(answer.with("FAIL"), {"policy-", "live-"}), Ids{}) << enforcer << answer.text;
        const Finished again = hermesctl({"deploy", "-y"});
        EXPECT_EQ(again.code, 0) << again.err;
        EXPECT_THAT(again.out, HasSubstr("the cage holds"));
    }
}

TEST_F(Verify, WithoutTheRightToMakeATwinItSaysSo) {
    run({"create", "quota", "no-jobs", "--hard=count/jobs.batch=0"});
    made_.push_back({"ResourceQuota", ns(), "no-jobs"});
    const Answer answer = verify();
    EXPECT_THAT(answer.text, HasSubstr("no twin could be made"));
    EXPECT_EQ(answer.rows.at("live-lan")["verdict"], "INCONCLUSIVE");
    EXPECT_EQ(answer.rows.at("live-api")["verdict"], "PASS");
    EXPECT_EQ(answer.code, 1) << "could not tell is no pass";
}

TEST_F(Verify, FaultsAroundThePodAreFoundWhileItRuns) {
    expect_checklist({});
    run({"create", "rolebinding", "leak", "--clusterrole=view", "--serviceaccount=" + ns() + ":hermes"});
    expect_checklist({"identity-bindings=FAIL"});
    run({"delete", "rolebinding", "leak"});

    run({"create", "rolebinding", "leak", "--clusterrole=view", "--group=system:serviceaccounts:" + ns()});
    expect_checklist({"identity-bindings=FAIL"});
    run({"delete", "rolebinding", "leak"});

    run({"create", "service", "nodeport", "hermes", "--tcp=8642:8642"});  // its selector is app=hermes
    expect_checklist({"exposure-services=FAIL"});
    run({"create", "ingress", "door", "--rule=x.example/=hermes:8642"});
    expect_checklist({"exposure-services=FAIL", "exposure-ingresses=FAIL"});
    run({"delete", "ingress/door", "service/hermes"});

    enforce_level("privileged");
    expect_checklist({"host-pod-security=WARN"});
    enforce_level("baseline");
    expect_checklist({});
}

TEST_F(Verify, FaultsOfTheAgentsFilesAreFoundWhileItRuns) {
    in_pod("cp -p /opt/data/.env /tmp/env && cp -p /opt/data/config.yaml /tmp/config");
    in_pod("echo TELEGRAM_ALLOW_ALL_USERS=true >> /opt/data/.env");
    expect_checklist({"agent-allow-all=FAIL"});
    in_pod("cp -p /tmp/env /opt/data/.env && echo MINIMAX_API_KEY=another >> /opt/data/.env");
    expect_checklist({"agent-env-file=FAIL"});
    in_pod(
        "cp -p /tmp/env /opt/data/.env && rm /opt/data/config.yaml && "
        "printf 'terminal:\\n  backend: ssh\\n' > /opt/data/config.yaml");
    expect_checklist({"agent-backend=FAIL"});
    in_pod(
        "cp -p /tmp/config /opt/data/config.yaml && echo \"x: $MINIMAX_API_KEY\" >> /opt/data/config.yaml");
    expect_checklist({"agent-secrets=FAIL"});
    in_pod("cp -p /tmp/config /opt/data/config.yaml");
    expect_checklist({});
}

TEST_F(Verify, APodMadeByHandIsFoundByWhatItHas) {
    // Both are refused by the level that deploy gives the namespace, or would be, for the host's folder.
    enforce_level("privileged");
    run({"apply", "-f", "-"}, R"(
apiVersion: v1
kind: Pod
metadata: {name: hand, labels: {app: hermes}}
spec:
  automountServiceAccountToken: true
  serviceAccountName: hermes
  nodeSelector: {no-such: node}
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: main
    image: docker.io/library/busybox:1.36
    command: [sleep, infinity]
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
  volumes:
  - {name: etc, hostPath: {path: /etc}}
)");
    expect_checklist({"host-pod-security=WARN", "host-paths=FAIL", "identity-token=FAIL"});
    run({"delete", "pod", "hand"});
    enforce_level("baseline");
}

}  // namespace
}  // namespace hermesctl::e2e
