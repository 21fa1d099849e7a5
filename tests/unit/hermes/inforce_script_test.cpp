// manifests/inforce.py, under the real Python: does the live gateway use these values?
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/kube/object.hpp"
#include "support/command.hpp"
#include "support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;
using ::testing::HasSubstr;
using ::testing::Not;

class InforceScript : public ::testing::Test {
  protected:
    InforceScript() {
        root_.write("proc/1/cmdline", "s6-svscan");
        gateway(42, {"TOKEN=the-token-value", "TEXT=two\nlines=and more"});
    }
    void gateway(int pid, const std::vector<std::string>& variables) {
        std::string environ;
        for (const std::string& one : variables)
            environ += one + '\0';
        const std::string folder = "proc/" + std::to_string(pid);
        root_.write(folder + "/cmdline",
                    std::string("/opt/hermes/.venv/bin/python\0hermes\0gateway\0run\0", 49));
        root_.write(folder + "/environ", environ);
    }
    std::string print(const Json& wanted) {
        const testing::Finished result = testing::finished(
            python_command(reading_script("inforce.py"), {root_.path()}), {}, wanted.dump() + "\n");
        EXPECT_EQ(result.code, 0) << result.err;
        return result.out;
    }
    Json said(const Json& wanted) { return Json::parse(print(wanted)); }

    testing::Scratch root_;
};

const Json good{{"TOKEN", base64_encode("the-token-value")},
                {"TEXT", base64_encode("two\nlines=and more")},
                {"GONE", nullptr}};

TEST_F(InforceScript, TheGatewayHasThemAll) {
    EXPECT_EQ(said(good), (Json{{"gateways", 1},
                                {"unused", Json::array()},
                                {"shadowed", Json::array()},
                                {"unread", Json::array()}}));
}

TEST_F(InforceScript, NamesWhatItHasNotOrStillHasAndNeverAValue) {
    const Json wanted{{"TOKEN", base64_encode("another-value")}, {"TEXT", nullptr}, {"NEW", "YWRkZWQ="}};
    EXPECT_EQ(said(wanted)["unused"], (Json{"NEW", "TEXT", "TOKEN"}));
    for (const char* value : {"the-token-value", "another-value", "added", "lines"})
        EXPECT_THAT(print(wanted), Not(HasSubstr(value)));
}

TEST_F(InforceScript, EveryGatewayCounts) {
    gateway(43, {"TOKEN=the-old-value"});
    EXPECT_EQ(said({{"TOKEN", base64_encode("the-token-value")}})["unused"], Json{"TOKEN"});
}

TEST_F(InforceScript, WhereNoneLivesThatIsSaid) {
    root_.write("proc/42/cmdline", "sleep");
    EXPECT_EQ(said(good)["gateways"], 0);
}

TEST_F(InforceScript, HermesOwnFileWinsOverTheEnvironment) {
    root_.write("opt/data/.env", "# TEXT=x\nexport TOKEN='of-the-file'\nGONE=\n");
    EXPECT_EQ(said(good)["shadowed"], (Json{"GONE", "TOKEN"}));
    root_.write("opt/data/.env", "TOKEN=the-token-value\n");
    EXPECT_EQ(said(good)["shadowed"], Json::array()) << "the same value";
    root_.write("etc/hermes/.env", "TOKEN=managed\n");
    EXPECT_EQ(said(good)["shadowed"], Json{"TOKEN"});
}

TEST_F(InforceScript, AFileThatCannotBeReadIsNoProof) {
    root_.write("opt/data/folder", "");
    ASSERT_EQ(::mkfifo(root_.path("opt/data/.env").c_str(), 0600), 0);
    EXPECT_EQ(said(good)["unread"], Json{"/opt/data/.env"});
}

}  // namespace
}  // namespace hermesctl::hermes
