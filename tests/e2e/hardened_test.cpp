// deploy --hardened on a real node: an image that starts without root, in a namespace that enforces the level
// "restricted", and one that does not.
#include "e2e/node.hpp"

#include <fmt/format.h>

namespace hermesctl::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Hardened : public Node {
  protected:
    static constexpr const char* rootless = "docker.io/example/hermes-agent:rootless";

    std::string agents() { return pod_uids("pod-template-hash"); }
    Finished tried(const std::string& script) { return hermesctl({"exec", "--", "/bin/sh", "-c", script}); }
    void expect_hardened() {
        EXPECT_THAT(ask("hard"), HasSubstr("you said 'hard'"));
        EXPECT_EQ(tried("id -u; id -g").out, "10000\n10000\n");
        EXPECT_EQ(tried("touch /opt/data/x /tmp/x /run/x").code, 0);
        EXPECT_THAT(tried("touch /usr/x /opt/hermes/x /etc/x").err, HasSubstr("Read-only file system"));
        EXPECT_EQ(tried("grep -c 'CapBnd:.0*$' /proc/self/status").out, "1\n");
        const Finished root = hermesctl({"exec", "--root", "--", "id"});
        EXPECT_EQ(root.code, 125);
        EXPECT_THAT(root.err, AllOf(HasSubstr("there is no root"), HasSubstr("--no-hardened")));
        const Finished copied = hermesctl({"cp", SOURCE_DIR "/LICENSE", ":workspace/"});
        EXPECT_EQ(copied.code, 0) << copied.err;
        EXPECT_EQ(tried("stat -c %u /opt/data/workspace/LICENSE").out, "10000\n");

        const Finished again = hermesctl({"deploy"});
        EXPECT_EQ(again.code, 0) << again.err;
        EXPECT_THAT(again.out, HasSubstr("nothing to change"));
        const Finished verified = hermesctl({"verify", "-o", "json"});
        EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
        const Json report = Json::parse(verified.out, nullptr, false);
        EXPECT_GT(kube::at(report, "/checks").size(), 30u);
        for (const Json& row : kube::at(report, "/checks")) {
            const std::string id = row["id"];
            if (id.starts_with("host-") || id == "policy-resolvers")
                EXPECT_EQ(row["verdict"], "PASS") << row.dump(2);
        }
    }
};

TEST_F(Hardened, AnImageThatNeedsRootIsRefusedAndOneThatDoesNotAnswersWhereTheLevelRestrictedIsEnforced) {
    const auto refused = [&](const std::vector<std::string>& line) {
        const Finished done = hermesctl(line);
        EXPECT_EQ(done.code, 1) << done.out << done.err;
        EXPECT_THAT(done.err,
                    AllOf(HasSubstr("does not start without root"), HasSubstr("/run belongs to uid 0"),
                          HasSubstr("deploy without --hardened")));
    };
    ASSERT_EQ(kubectl({"create", "namespace", ns()}).code, 0);  // so that its labels are not hermesctl's
    enforce_level("restricted");
    refused(deploy_arguments({"--hardened"}));
    EXPECT_TRUE(client().list("Deployment", ns()).empty());
    EXPECT_TRUE(client().list("Job", ns()).empty());
    const Finished done = hermesctl(deploy_arguments({"--hardened", "--image", rootless}));
    ASSERT_EQ(done.code, 0) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("starts without root"));
    EXPECT_THAT(done.out, HasSubstr("the cage holds"));
    expect_hardened();

    enforce_level("baseline");
    const Finished over =
        hermesctl({"deploy", "-y", "--no-hardened", "--image", "docker.io/nousresearch/hermes-agent:latest"});
    ASSERT_EQ(over.code, 0) << over.err;
    const std::string uid = agents();
    const Json before = get("deployment/hermes");
    refused({"deploy", "-y", "--hardened"});
    EXPECT_EQ(agents(), uid);
    EXPECT_EQ(get("deployment/hermes")["metadata"]["generation"], before["metadata"]["generation"]);
    EXPECT_TRUE(answers());

    // And back to the one that does not need it, with the data that root's start has left.
    const Finished back = hermesctl({"deploy", "-y", "--hardened", "--image", rootless});
    EXPECT_EQ(back.code, 0) << back.err;
    EXPECT_TRUE(answers());
}

}  // namespace
}  // namespace hermesctl::e2e
