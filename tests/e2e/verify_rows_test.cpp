// The guide's checklist on the node: each fault is found by the row that should find it, and by no other.
#include "e2e/node.hpp"

#include <map>
#include <set>

#include <fmt/format.h>

namespace hermesctl::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Rows = std::set<std::string>;

class VerifyRows : public Node {
  protected:
    VerifyRows() : Node(Scope::suite) {}
    void SetUp() override {
        Node::SetUp();
        if (IsSkipped() || HasFatalFailure() || !is_first()) return;
        clean_ = rows();
        for (const auto& [id, row] : clean_) {
            const std::string verdict = row.value("verdict", "");
            EXPECT_TRUE(verdict == "PASS" || verdict == "NOT-APPLICABLE") << row.dump(2);
        }
    }

    /// The rows that this file is about.
    std::map<std::string, Json> rows() {
        const Finished done = hermesctl({"verify", "--quick", "-o", "json"});
        EXPECT_THAT(done.out + done.err, Not(HasSubstr(setting("HERMES_TEST_TOKEN"))));
        EXPECT_THAT(done.out + done.err, Not(HasSubstr(setting("HERMES_TEST_KEY"))));
        const Json answer = Json::parse(done.out, nullptr, false);
        std::map<std::string, Json> found;
        for (const Json& row : kube::at(answer, "/checks")) {
            const std::string id = row.value("id", "");
            for (const char* part : {"identity-", "host-", "exposure-", "agent-"}) {
                if (id.starts_with(part)) found[id] = row;
            }
        }
        EXPECT_EQ(found.size(), 22u) << done.out << done.err;
        return found;
    }

    /// "id=VERDICT" of those that are not as they were after deploy.
    Rows changed() {
        Rows found;
        for (const auto& [id, row] : rows()) {
            if (row["verdict"] != clean_[id]["verdict"])
                found.insert(fmt::format("{}={}", id, row["verdict"].get<std::string>()));
        }
        return found;
    }

    void apply(const std::string& yaml) {
        const Finished done = kubectl({"-n", ns(), "apply", "-f", "-"}, yaml);
        ASSERT_EQ(done.code, 0) << done.err;
    }
    void run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"-n", ns()});
        const Finished done = kubectl(arguments);
        ASSERT_EQ(done.code, 0) << done.err;
    }
    /// A shell in the container, as the agent.
    void in_pod(const std::string& script) {
        const Finished done = hermesctl({"exec", "--", "/bin/sh", "-c", script});
        ASSERT_EQ(done.code, 0) << done.err;
    }

    static inline std::map<std::string, Json> clean_{};  // as the first test finds them after deploy
};

TEST_F(VerifyRows, FaultsAroundThePodAreFoundWhileItRuns) {
    run({"create", "rolebinding", "leak", "--clusterrole=view", "--serviceaccount=" + ns() + ":hermes"});
    EXPECT_EQ(changed(), Rows{"identity-bindings=FAIL"});
    run({"delete", "rolebinding", "leak"});

    run({"create", "rolebinding", "leak", "--clusterrole=view", "--group=system:serviceaccounts:" + ns()});
    EXPECT_EQ(changed(), Rows{"identity-bindings=FAIL"});
    run({"delete", "rolebinding", "leak"});

    run({"create", "service", "nodeport", "hermes", "--tcp=8642:8642"});  // its selector is app=hermes
    EXPECT_EQ(changed(), Rows{"exposure-services=FAIL"});
    run({"create", "ingress", "door", "--rule=x.example/=hermes:8642"});
    EXPECT_EQ(changed(), Rows({"exposure-services=FAIL", "exposure-ingresses=FAIL"}));
    run({"delete", "ingress/door", "service/hermes"});

    run({"label", "--overwrite", "namespace", ns(), "pod-security.kubernetes.io/enforce=privileged"});
    EXPECT_EQ(changed(), Rows{"host-pod-security=WARN"});
    run({"label", "--overwrite", "namespace", ns(), "pod-security.kubernetes.io/enforce=baseline"});
    EXPECT_EQ(changed(), Rows{});
}

TEST_F(VerifyRows, FaultsOfTheAgentsFilesAreFoundWhileItRuns) {
    in_pod("cp -p /opt/data/.env /tmp/env && cp -p /opt/data/config.yaml /tmp/config");
    in_pod("echo TELEGRAM_ALLOW_ALL_USERS=true >> /opt/data/.env");
    EXPECT_EQ(changed(), Rows{"agent-allow-all=FAIL"});
    in_pod("cp -p /tmp/env /opt/data/.env && echo MINIMAX_API_KEY=another >> /opt/data/.env");
    EXPECT_EQ(changed(), Rows{"agent-env-file=FAIL"});
    in_pod(
        "cp -p /tmp/env /opt/data/.env && rm /opt/data/config.yaml && "
        "printf 'terminal:\\n  backend: ssh\\n' > /opt/data/config.yaml");
    EXPECT_EQ(changed(), Rows{"agent-backend=FAIL"});
    in_pod(
        "cp -p /tmp/config /opt/data/config.yaml && echo \"x: $MINIMAX_API_KEY\" >> /opt/data/config.yaml");
    EXPECT_EQ(changed(), Rows{"agent-secrets=FAIL"});
    in_pod("cp -p /tmp/config /opt/data/config.yaml");
    EXPECT_EQ(changed(), Rows{});
}

TEST_F(VerifyRows, APodMadeByHandIsFoundByWhatItHas) {
    // Both are refused by the level that deploy gives the namespace, or would be, for the host's folder.
    run({"label", "--overwrite", "namespace", ns(), "pod-security.kubernetes.io/enforce=privileged"});
    apply(R"(
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
    EXPECT_EQ(changed(), Rows({"host-pod-security=WARN", "host-paths=FAIL", "identity-token=FAIL"}));
    run({"delete", "pod", "hand"});
    run({"label", "--overwrite", "namespace", ns(), "pod-security.kubernetes.io/enforce=baseline"});
}

}  // namespace
}  // namespace hermesctl::e2e
