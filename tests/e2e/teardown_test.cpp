// teardown takes what is this installation's, says what stays, and explains what does not go.
#include "e2e/node.hpp"

namespace hermesctl::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Teardown : public Node {};

TEST_F(Teardown, KeepsTheDataAndAnotherInstanceSaysHowToComeBackAndExplainsWhatHangs) {
    ASSERT_EQ(hermesctl(deploy_arguments()).code, 0);
    auto second = deploy_arguments({"--name", "second"});
    second[4] = "TELEGRAM_BOT_TOKEN=env:HERMES_TEST_TOKEN_OTHER";
    const Finished beside = hermesctl(second);
    ASSERT_EQ(beside.code, 0) << beside.err;
    EXPECT_THAT(beside.out, HasSubstr("@other_bot"));
    EXPECT_THAT(hermesctl({"list", "-o", "json"}).out, HasSubstr("second"));

    in_pod("echo remember > /opt/data/note");
    const Finished unasked = hermesctl({"teardown"});
    EXPECT_EQ(unasked.code, 2) << "without a terminal a removal needs -y: " << unasked.err;
    const Finished down = hermesctl({"teardown", "-y"});
    EXPECT_EQ(down.code, 0) << down.err;
    EXPECT_THAT(down.out, HasSubstr("kept: persistentvolumeclaim/hermes-data"));
    EXPECT_THAT(down.out, HasSubstr("/deletebot"));
    EXPECT_TRUE(exists("PersistentVolumeClaim", "hermes-data"));
    EXPECT_FALSE(exists("Deployment", "hermes"));
    ASSERT_EQ(hermesctl(deploy_arguments()).code, 0);
    EXPECT_EQ(hermesctl({"exec", "--", "cat", "/opt/data/note"}).out, "remember\n");

    ASSERT_EQ(kubectl({"-n", ns(), "patch", "pvc", "hermes-data", "--type", "json", "-p",
                       R"([{"op":"add","path":"/metadata/finalizers/-","value":"example.com/held"}])"})
                  .code,
              0);
    const Finished hung = hermesctl({"teardown", "--delete-data", "-y", "--timeout", "20s"});
    EXPECT_EQ(hung.code, 5) << hung.err;
    EXPECT_THAT(hung.err, HasSubstr("persistentvolumeclaim/hermes-data is still being deleted"));
    EXPECT_THAT(hung.err, HasSubstr("example.com/held"));
    EXPECT_THAT(hung.err, HasSubstr("namespace/" + ns() + ": ")) << "which stays";
    ASSERT_EQ(kubectl({"-n", ns(), "patch", "pvc", "hermes-data", "--type", "json", "-p",
                       R"([{"op":"remove","path":"/metadata/finalizers"}])"})
                  .code,
              0);
    const Finished again = hermesctl({"teardown", "--delete-data", "-y"});
    EXPECT_EQ(again.code, 0) << "the next run goes on: " << again.err;
    EXPECT_FALSE(exists("PersistentVolumeClaim", "hermes-data"));

    EXPECT_TRUE(exists("PersistentVolumeClaim", "second-data"));
    const Finished status = hermesctl({"status", "--name", "second"});
    EXPECT_EQ(status.code, 0) << status.out << status.err;
    const Finished last = hermesctl({"teardown", "--name", "second", "--delete-data", "-y"});
    EXPECT_EQ(last.code, 0) << last.err;
    EXPECT_FALSE(exists("Namespace", ns()));
}

}  // namespace
}  // namespace hermesctl::e2e
