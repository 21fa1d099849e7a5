// No value of a secret is ever seen: in argv or an environment while a command runs, in what it says at its
// most verbose, in the files that it writes, in any object but the Secret. Over all commands.
#include "e2e/node.hpp"
#include "hermesctl/base/crypto.hpp"
#include "support/scratch.hpp"

#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include <fmt/format.h>

namespace hermesctl::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string bad_token = "333333333:AAG-no-other-test-has-this-refused-token-0";  // from a file alone

class Scan : public Node {
  protected:
    void look(const std::string& text, const std::string& where) {
        looked_at_ += text.size();
        for (const std::string& value : values_) {
            for (const std::string& form : {value, base64_encode(value)}) {
                const std::size_t at = text.find(form);
                EXPECT_EQ(at, std::string::npos)
                    << where << ", after: " << text.substr(at < 200 ? 0 : at - 200, 200);
            }
        }
    }

    /// "" of a process that has ended meanwhile.
    static std::string contents(const std::string& path) {
        std::ostringstream text;
        text << std::ifstream(path, std::ios::binary).rdbuf();
        return text.str();
    }

    struct Processes {
        std::string argv{};
        std::string environments{};
    };
    /// Of all of them; no argv of kubectl's: other tests install with it as the guide does, beside this one.
    static Processes processes() {
        Processes all;
        for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
            const std::string folder = entry.path().string();
            if (!std::isdigit(static_cast<unsigned char>(folder[6]))) continue;  // "/proc/1"
            const std::string argv = contents(folder + "/cmdline");
            if (argv.find("kubectl") == std::string::npos) all.argv += argv;
            all.environments += contents(folder + "/environ");
        }
        return all;
    }

    std::string objects(const std::string& kinds) {
        return kubectl({"-n", ns(), "get", kinds, "-o", "json", "--show-managed-fields"}).out;
    }
    std::string pods_and_jobs() {
        const std::vector<kube::Read> reads{
            kube::read_of(fmt::format("/api/v1/namespaces/{}/pods", ns())),
            kube::read_of(fmt::format("/apis/batch/v1/namespaces/{}/jobs", ns()))};
        std::string all;
        for (const kube::Outcome& outcome : client().read_all(reads))
            all += outcome.value().dump();
        return all;
    }

    /// Runs it to its end, and looks meanwhile at everybody's argv (the pods' processes are among them) and
    /// at the pods that come and go.
    std::string run(std::vector<std::string> arguments, int code = 0, const std::string& input = {}) {
        seen_.insert(arguments.front());
        const std::string line = fmt::format("{}", fmt::join(arguments, " "));
        arguments.insert(arguments.begin() + 1, "-v");  // before any "--", after which all is the pod's
        const auto running = start_hermesctl(arguments, {}, input);
        do {
            std::this_thread::sleep_for(500ms);
            const Processes all = processes();
            argv_ = all.argv;
            look(argv_, "argv during " + line);
            // The agent's own has the others, and so has this test's.
            EXPECT_THAT(all.environments, Not(HasSubstr(bad_token))) << line;
            looked_at_ += all.environments.size();
            look(pods_and_jobs(), "pods during " + line);
        } while (running->running());
        EXPECT_EQ(running->wait(), code) << line << "\n" << running->all();
        look(running->all(), line);
        EXPECT_THAT(running->all(), Not(HasSubstr("would violate PodSecurity")))
            << "nobody can do something about it";
        return running->all();
    }

    /// A command that changes nothing, as text and as JSON.
    void read(std::vector<std::string> arguments, int code = 0) {
        run(arguments, code);
        arguments.insert(arguments.begin() + 1, {"-o", "json"});
        run(arguments, code);
    }

    testing::Scratch folder_{};
    std::vector<std::string> values_{setting("HERMES_TEST_TOKEN"), setting("HERMES_TEST_TOKEN_NEXT"),
                                     setting("HERMES_TEST_KEY"), setting("HERMES_TEST_KEY_NEXT"), bad_token};
    std::set<std::string> seen_{};
    std::string argv_{};
    std::size_t looked_at_ = 0;
};

TEST_F(Scan, NoCommandShowsAValue) {
    const std::string token = "TELEGRAM_BOT_TOKEN=@" + folder_.write("token", setting("HERMES_TEST_TOKEN"));
    const std::string key = "MINIMAX_API_KEY=@" + folder_.write("key", setting("HERMES_TEST_KEY"));
    const std::string next_token =
        "TELEGRAM_BOT_TOKEN=@" + folder_.write("t", setting("HERMES_TEST_TOKEN_NEXT"));
    const std::string next_key = "MINIMAX_API_KEY=@" + folder_.write("k", setting("HERMES_TEST_KEY_NEXT"));
    const std::string bad = "TELEGRAM_BOT_TOKEN=@" + folder_.write("bad", bad_token);
    const std::string user = setting("HERMES_TEST_USER");

    run({"deploy", "-y", "--allow-user", user, "--secret", token, "--secret", key});
    EXPECT_THAT(argv_, HasSubstr("s6-svscan")) << "the pods' processes are not among those looked at";
    // As Telegram's and the provider's errors have them.
    const std::string line = fmt::format("ERROR https://api.telegram.org/bot{}/getMe key {}\n",
                                         setting("HERMES_TEST_TOKEN"), setting("HERMES_TEST_KEY"));
    EXPECT_EQ(hermesctl({"exec", "--", "sh", "-c", "cat >> /opt/data/logs/gateway.log"}, {}, line).code, 0);
    read({"logs"});
    read({"status"});
    run({"wait"});
    read({"diff", "--secret", next_key}, 6);
    run({"render", "--secret", next_token, "--secret", next_key, "--allow-user", user});
    read({"verify", "--quick"});
    run({"verify", "--report", folder_.path("report.html"), "--junit", folder_.path("report.xml")});
    read({"list"});
    run({"exec", "--", "true"});
    run({"shell"}, 2, "exit\n");
    run({"cp", ":/opt/data/config.yaml", folder_.path("config.yaml")});
    read({"rotate-secret", "--list"});
    run({"rotate-secret", "-y", bad}, 1);
    // Valid when it is tried, refused when the gateway starts with it: Hermes' own error holds it.
    node({"world", "fault", "telegram", "reject", "--name", "cage-next", "--after", "1"});
    EXPECT_THAT(run({"rotate-secret", "-y", next_token}, 1),
                AllOf(HasSubstr("did not work"), HasSubstr("is back, and the bot answers")));
    node({"world", "reset"});
    EXPECT_EQ(get("secret/hermes-secrets")["data"]["TELEGRAM_BOT_TOKEN"],
              base64_encode(setting("HERMES_TEST_TOKEN")));
    EXPECT_FALSE(exists("Secret", "hermes-secrets-previous"));
    EXPECT_TRUE(answers());
    run({"rotate-secret", "-y", "-o", "json", "--no-restart", next_token, next_key});
    read({"allow-user", "--list"});
    read({"allow-user", "--pending"});
    run({"allow-user", "600600600", "--no-restart"});
    run({"allow-user", "--remove", "600600600", "-y", "--no-restart"});
    run({"restart", "-y"});
    run({"stop", "--now", "-y"});
    run({"rotate-secret", "-y", token, key});
    run({"start"});
    look(objects("all,configmaps,events,leases,serviceaccounts,networkpolicies,pvc"), "objects");
    look(kubectl({"-n", ns(), "logs", "deployment/hermes", "--all-containers"}).out, "the pod's console");
    run({"teardown", "-y"});
    run({"version"});
    run({"completion", "bash"});
    for (const char* written : {"report.html", "report.xml", "config.yaml"})
        look(contents(folder_.path(written)), written);
    EXPECT_GT(looked_at_, 100'000u);

    std::set<std::string> commands;
    for (const auto& page : std::filesystem::directory_iterator(SOURCE_DIR "/docs/commands"))
        commands.insert(page.path().stem().string());
    commands.erase("hermesctl");
    EXPECT_EQ(seen_, commands) << "a command that nobody looked at";
}

}  // namespace
}  // namespace hermesctl::e2e
