// What commands print: text on terminals of some widths and in a pipe, and JSON.
#include "hermesctl/base/crypto.hpp"
#include "support/cli_world.hpp"
#include "support/golden.hpp"
#include "support/installation.hpp"

#include <regex>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using namespace nlohmann::json_literals;
using hermesctl::testing::expect_golden;
using hermesctl::testing::FakeProcess;
using kube::Json;

const std::string token = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr";

/// A bot that answers, whose cage leaks and whose agent lacks what the Secret holds.
class Installed {
  public:
    Installed() {
        hermesctl::testing::put_installation(world_.api, "work", "second");
        world_.api.merge({"Secret", "work", "second-secrets"},
                         {{"metadata", {{"annotations", {{"hermesctl/salt", "salt"}}}}},
                          {"data",
                           {{"TELEGRAM_ALLOWED_USERS", base64_encode("111,222")},
                            {"TELEGRAM_BOT_TOKEN", base64_encode(token)},
                            {"MINIMAX_API_KEY", base64_encode("the-key-of-minimax")}}}});
        world_.api.merge({"Deployment", "work", "second"},
                         R"({"spec":{"template":{"metadata":{"annotations":{"hermesctl/secret-hmac":"old"}}}},
            "status":{"readyReplicas":1}})"_json);
        world_.api.on_write = [this](const std::string&, const Json& object) { reconcile(object); };
        world_.api.on_exec = [this](FakeProcess& process) { answer(process); };
    }

    /// As hermesctl itself makes it.
    Installed& deployed() {
        EXPECT_EQ(world_.run({"deploy", "--no-wait", "-y", "-n", "work", "--name", "second"}), ExitCode::ok)
            << world_.err.str();
        return *this;
    }

    /// The line, what it printed on stdout and its exit code. width 0: stdout is a pipe.
    std::string said(const std::vector<std::string>& words, int width) {
        world_.terminal.out_is_terminal = width > 0;
        if (width > 0) world_.terminal.width = width;
        std::string text = "$ hermesctl";
        for (const std::string& word : words)
            text += " " + word;
        const ExitCode code = world_.run(words);
        return fmt::format("{}\n{}exit {}\n", text, world_.out.str(), static_cast<int>(code));
    }

  private:
    /// The controller, as far as a stop waits for it.
    void reconcile(const Json& object) {
        if (kube::ref_of(object) != kube::Ref{"Deployment", "work", "second"}) return;
        const auto wanted = kube::int_at(object, "/spec/replicas");
        if (wanted == 0) world_.api.erase({"Pod", "work", "second-1-a"});
        world_.api.merge(
            kube::ref_of(object),
            {{"status",
              {{"observedGeneration", kube::int_at(object, "/metadata/generation")}, {"replicas", wanted}}}});
    }

    void answer(FakeProcess& process) const {
        const auto runs = [&](const char* part) {
            return process.argv.at(4).find(part) != std::string::npos ||
                   process.argv.back().find(part) != std::string::npos;
        };
        if (process.argv.back() == "read") {
            process.out("\nmodel: {provider: minimax, default: MiniMax-M2.7}\n");
            return process.exit(0);
        }
        const Json& said = runs("env_files") ? inside_ : runs("getMe") ? lines_ : facts_;
        process.out(said.dump() + "\n");
        process.exit(0);
    }

    hermesctl::testing::CliWorld world_{};
    Json inside_ = R"({"tokens":[],"gateways":[],"container":{},"plain":[],"resolvers":{},"configs":{},
        "env_files":{"/opt/data/.env":{"state":"read","shadows":[]}}})"_json;
    Json lines_ =
        R"({"bot":{"status":200,"username":"cage_bot"},"model":{"status":200,"key":"MINIMAX_API_KEY"},
        "live":{"provider":"minimax","model":"MiniMax-M2.7"}})"_json;
    Json facts_ = R"({"alive":true,"gateway":"running","telegram":"connected","ready":true})"_json;
};

/// Without what differs from run to run and from machine to machine.
std::string masked(const std::string& text) {
    static const std::regex hex("\\b[0-9a-f]{16,}\\b");
    static const std::regex library("(\"[a-z]+\": \")[^\"]*/[0-9][^\"]*\"");
    return std::regex_replace(std::regex_replace(text, hex, "<hex>"), library, "$1<versions>\"");
}

TEST(OutputGolden, StatusLosesNothingOnNarrowTerminals) {
    Installed installed;
    const std::vector<std::string> line{"status", "-n", "work", "--name", "second"};
    const std::string piped = installed.said(line, 0);
    expect_golden("output/status-pipe.txt", piped);
    EXPECT_EQ(installed.said(line, 40), piped);
}

TEST(OutputGolden, TextAndJsonOfCommands) {
    for (std::vector<std::string> line :
         std::vector<std::vector<std::string>>{{"status", "--no-check"},
                                               {"list"},
                                               {"deploy", "--dry-run", "--model", "M3"},
                                               {"diff", "--model", "M3"},
                                               {"stop"},
                                               {"start", "--no-wait"},
                                               {"restart", "--no-wait"},
                                               {"teardown", "--dry-run"},
                                               {"rotate-secret", "--list"},
                                               {"allow-user", "--list"},
                                               {"version"}}) {
        const std::string name = line.front();
        if (name != "list" && name != "version") line.insert(line.end(), {"-n", "work", "--name", "second"});
        const bool plans = name == "deploy" || name == "diff";
        const auto said = [&](int width) {
            Installed installed;
            return (plans ? installed.deployed() : installed).said(line, width);
        };
        std::string all = said(80);
        line.insert(line.end(), {"-o", "json"});
        all += said(0);
        expect_golden(fmt::format("output/{}.txt", name), masked(all));
    }
}

}  // namespace
}  // namespace hermesctl::cli
