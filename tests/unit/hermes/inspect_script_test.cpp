// manifests/inspect.py, under the real Python, with files as people, Hermes and a hostile agent leave them.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/kube/object.hpp"
#include "support/credential_cases.hpp"
#include "support/scratch.hpp"

#include <chrono>
#include <ctime>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Json;
using ::testing::HasSubstr;
using ::testing::Not;

class InspectScript : public ::testing::Test {
  protected:
    void SetUp() override { root_.write("proc/1/cmdline", "s6-svscan"); }

    std::string print(const Json& keys = Json::array()) {
        const auto result =
            run_process({.argv = python_command(reading_script("inspect.py"), {keys.dump(), root_.path()}),
                         .environment = environment_});
        EXPECT_EQ(result.value().exit_code, 0);
        return result.value().output;
    }
    Json said(const Json& keys = Json::array()) { return Json::parse(print(keys)); }
    Json config(const std::string& text) {
        root_.write("opt/data/config.yaml", text);
        return at(said(), "/configs/~1opt~1data~1config.yaml");
    }
    Json env_file(const std::string& text, const Json& keys = Json::array()) {
        root_.write("opt/data/.env", text);
        return at(said(keys), "/env_files/~1opt~1data~1.env");
    }
    Json settled() { return at(said(), "/env_files/~1opt~1data~1.env/settled"); }
    /// One that has run for so long; one of the future has started with all files as they are.
    void start_gateway(const std::string& pid, std::chrono::milliseconds ago) {
        timespec now{};
        ::clock_gettime(CLOCK_BOOTTIME, &now);
        const long began = now.tv_sec * 1000 + now.tv_nsec / 1000000 - static_cast<long>(ago.count());
        root_.write("proc/" + pid + "/cmdline", std::string("/usr/bin/python3\0gateway\0run\0", 29));
        root_.write("proc/" + pid + "/stat",
                    fmt::format("{} (py) S 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 {} 0 0\n", pid,
                                began * ::sysconf(_SC_CLK_TCK) / 1000));
    }

    testing::Scratch root_{};
    Environment environment_{{"PATH", "/usr/bin"}};
};

TEST_F(InspectScript, NothingIsThere) {
    const Json found = said();
    EXPECT_EQ(found["tokens"], Json::array());
    EXPECT_EQ(found["gateways"], Json::array());
    EXPECT_EQ(found["ping"], "");
    EXPECT_EQ(at(found, "/configs/~1opt~1data~1config.yaml/state"), "absent");
    EXPECT_EQ(at(found, "/env_files/~1opt~1data~1.env/state"), "absent");
}

TEST_F(InspectScript, NameServersAreThoseThatLibrariesAsk) {
    EXPECT_EQ(said()["resolvers"], Json({{"state", "absent"}, {"servers", Json::array()}}));
    root_.write("etc/resolv.conf",
                "# nameserver 1.1.1.1\nsearch a.b\nnameserver 10.43.0.10\nnameserver fe80::1%eth0\n"
                "nameserver\noptions ndots:5\nnameserver \x1b[2J\nnameserver 9.9.9.9\n");
    EXPECT_EQ(said()["resolvers"],
              Json({{"state", "read"}, {"servers", {"??2J", "10.43.0.10", "fe80::1%eth0"}}}));
}

TEST_F(InspectScript, ValuesAreComparedAndNeverPrinted) {
    environment_["TELEGRAM_BOT_TOKEN"] = "123456789:AAvalue-that-stays-inside-0123456789";
    environment_["COLONY_PAT"] = "pat-value-0123456789";
    environment_["STRAY_TOKEN"] = "stray-value-0123456789";
    root_.write("opt/data/config.yaml",
                "a:\n  api_key: literal-0123456789\nb: pat-value-0123456789\nc: "
                "123456789:AAother-0123456789-0123456789-0123456789\n");
    const Json keys{"TELEGRAM_BOT_TOKEN", "COLONY_PAT"};
    const Json found = said(keys);
    const Json& config = at(found, "/configs/~1opt~1data~1config.yaml");
    EXPECT_EQ(config["copies"], Json({"COLONY_PAT"}));
    EXPECT_EQ(config["credentials"], Json({"a.api_key", "c"}));
    EXPECT_EQ(found["plain"], Json({"STRAY_TOKEN"}));
    root_.write("opt/data/.env", "COLONY_PAT=pat-value-0123456789\nexport TELEGRAM_BOT_TOKEN=other\n");
    const Json shadows = at(said(keys), "/env_files/~1opt~1data~1.env/shadows");
    EXPECT_EQ(shadows, Json({{"COLONY_PAT", true}, {"TELEGRAM_BOT_TOKEN", false}}));
    for (const char* name : {"TELEGRAM_BOT_TOKEN", "COLONY_PAT", "STRAY_TOKEN"})
        EXPECT_THAT(print(keys), Not(HasSubstr(environment_[name])));
    EXPECT_THAT(print(keys), Not(HasSubstr("literal")));
}

TEST_F(InspectScript, WhatIsNoCredentialIsNoneInAConfig) {
    const auto cases = testing::credential_cases();
    ASSERT_GT(cases.size(), 100u);
    for (const auto& [is, setting] : cases)
        EXPECT_EQ(config(setting + "\n")["credentials"].size(), is ? 1u : 0u) << setting;
    EXPECT_EQ(config("# 123456789:AA0123456789-0123456789-0123456789\n")["credentials"], Json({"line 1"}));
}

TEST_F(InspectScript, ALongLineIsLookedThroughOnceWhateverTheAgentWrites) {
    for (const char* part : {"://?a=https", "?", "sk-", "://a:{}@", "eyJ", "BEGIN ", "-----"}) {
        std::string text = "a: https://";
        while (text.size() < (1u << 18))
            text += part;
        EXPECT_EQ(config(text + "\n")["credentials"], Json::array()) << part;
        EXPECT_EQ(config(text + "://?token=hunter2hunter2\n")["credentials"], Json({"a"})) << part;
    }
}

TEST_F(InspectScript, ManyKeysAreLookedThroughOnceToo) {
    std::string text;
    for (int i = 0; text.size() < (1u << 20) - 100; ++i)
        text += fmt::format("k{}: sk-0123456789abcdefghij{}\n", i, i);
    EXPECT_EQ(config(text)["credentials"].size(), 20u) << "as many as are told";
    EXPECT_EQ(config("a: sk-0123456789abcdefghij\n# sk-0123456789abcdefghij\n")["credentials"], Json({"a"}));
    EXPECT_EQ(config("a: sk-0123456789abcdefghij\n# sk-0123456789abcdefghik\n")["credentials"],
              Json({"a", "line 2"}));
}

TEST_F(InspectScript, EveryPrivateKeyIsToldAlsoBesideOneThatASettingHolds) {
    const std::string setting = "a: '-----BEGIN PRIVATE KEY-----\\nMIIEvQ1'\n";
    const std::string block = "b: |\n  -----BEGIN PRIVATE KEY-----\n  MIIEvQ1\n";
    EXPECT_EQ(config(setting)["credentials"], Json({"a"}));
    EXPECT_EQ(config(setting + block)["credentials"], Json({"a", "line 3"}));
    EXPECT_EQ(config(block + block)["credentials"], Json({"line 2", "line 5"}));
    EXPECT_EQ(config("a: '-----BEGIN PRIVATE KEY-----'\n" + block)["credentials"], Json({"a", "line 3"}));
    const std::string begin = "-----BEGIN RSA PRIVATE KEY-----", end = "-----END RSA PRIVATE KEY-----";
    EXPECT_EQ(config("a: '" + begin + std::string(300, 'x') + end + "'\n")["credentials"], Json({"a"}))
        << "one key is told once";
    EXPECT_EQ(config("a: '" + begin + "'\n# " + begin + "\n")["credentials"], Json({"a", "line 2"}));
    const std::string open = "\"" + begin + "\n    MIIEvQ1\"\n";  // it ends on another line
    EXPECT_EQ(config("a: " + open + "l:\n  - " + open + "  - !!str " + open)["credentials"],
              Json({"a", "line 4", "line 6"}));
    EXPECT_EQ(config("l:\n  - name: b\n    pem: " + open + "  - name: c\n    pem: " + open)["credentials"],
              Json({"l.pem", "line 6"}));
    EXPECT_EQ(config("l:\n  - pem: " + open + "a: " + open + "b: " + open)["credentials"],
              Json({"a", "b", "line 2"}));
}

TEST_F(InspectScript, CopiesOfTheEnvFileAreLookedInto) {
    EXPECT_EQ(said()["left"], Json::object());
    root_.write("opt/data/.env.before-20260101T000000Z", "A=1\nexport X_API_KEY=abcdefgh12345678\n");
    root_.write("opt/data/.env.before-20260101T000001Z", "A=1\n");
    root_.write("opt/data/.env.before-$(x)", "X_API_KEY=abcdefgh12345678\n");
    EXPECT_EQ(said()["left"], Json({{"/opt/data/.env.before-20260101T000000Z", Json::array({"X_API_KEY"})},
                                    {"/opt/data/.env.before-20260101T000001Z", Json::array()}}));
    EXPECT_THAT(print(), Not(HasSubstr("abcdefgh")));
}

TEST_F(InspectScript, CopiesThatTheAgentPlantsHideNone) {
    const std::string folder = "/opt/data/.env.before-";
    root_.write(folder.substr(1) + "20260101T000000Z", "X_API_KEY=abcdefgh12345678\n");
    std::filesystem::create_symlink("nowhere", root_.path(folder.substr(1) + "20260102"));
    root_.write(folder.substr(1) + "20260103", std::string((1u << 16) + 1, '\n'));
    for (int number = 10; number < 40; ++number)
        root_.write(fmt::format("{}0-{}", folder.substr(1), number), "A=1\n");
    const Json left = said()["left"];
    EXPECT_EQ(left[folder + "20260101T000000Z"], Json::array({"X_API_KEY"}));
    EXPECT_EQ(left[folder + "20260102"], Json()) << "what cannot be read";
    EXPECT_EQ(left[folder + "20260103"], Json()) << "what is too large";
    EXPECT_EQ(left.size(), 21u);
    EXPECT_EQ(left.begin().value(), Json()) << "what is too much";
    EXPECT_EQ(left[folder + "0-39"], Json::array());
    std::filesystem::remove_all(root_.path("opt/data"));
    root_.write("opt/data", "");
    EXPECT_EQ(said()["left"], Json({{"/opt/data", nullptr}}));
}

TEST_F(InspectScript, LargeCopiesTakeLittleTime) {
    std::string text;
    for (int i = 0; text.size() < (1u << 16) - 100; ++i)
        text += fmt::format("K{}_KEY=https://?a=https://a:{{}}@sk-{}\n", i, i);
    for (int number = 10; number < 40; ++number)
        root_.write(fmt::format("opt/data/.env.before-{}", number), text);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(said()["left"].size(), 21u);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << "the script has 20";
}

TEST_F(InspectScript, BackendIsReadOrSaidToBeUnclear) {
    EXPECT_EQ(config("terminal:\n  backend: local\n")["backend"], "local");
    EXPECT_EQ(config("terminal: {timeout: 5, backend: \"ssh\"}\n")["backend"], "ssh");
    EXPECT_EQ(config("model:\n  backend: ssh\n")["backend"], "");
    EXPECT_EQ(config("model: {provider: x}\n")["unclear"], false);
    for (const char* text :
         {"terminal: {\n  backend: ssh}\n", "terminal: &a\n  backend:\n    ssh\n", "terminal: *a\n",
          "terminal:\n  backend: >-\n    ssh\n", "terminal:\n  backend:\n    ssh\n",
          "{terminal: {backend: ssh}}\n", "<<: *all\n"}) {
        const Json found = config(text);
        EXPECT_EQ(found["unclear"], true) << text;
        EXPECT_EQ(found["backend"], "") << text;
    }
    EXPECT_EQ(config("terminal:\n  backend: \"x\x1b[2J\"\n")["unclear"], true);
}

TEST_F(InspectScript, ListsOfUsers) {
    const auto users = [&](const std::string& value) {
        return at(env_file("TELEGRAM_ALLOWED_USERS=" + value + "\n"), "/users");
    };
    EXPECT_EQ(users("1, 2,3"), Json({{"count", 3}, {"odd", 0}, {"ids", {1, 2, 3}}}));
    EXPECT_EQ(users("\"@alice,5\""), Json({{"count", 2}, {"odd", 1}, {"ids", Json::array({5})}}));
    EXPECT_EQ(users("1 2"), Json({{"count", 1}, {"odd", 1}, {"ids", Json::array()}}))
        << "Hermes parts entries at commas alone";
    EXPECT_EQ(users(""), Json({{"count", 0}, {"odd", 0}, {"ids", Json::array()}}));
    EXPECT_EQ(env_file("GATEWAY_ALLOWED_USERS=1,*\n")["wildcards"], Json({"GATEWAY_ALLOWED_USERS"}));
    EXPECT_EQ(env_file("GATEWAY_ALLOWED_USERS=1 *\n")["wildcards"], Json::array());
    EXPECT_EQ(env_file("# TELEGRAM_ALLOWED_USERS=*\n")["wildcards"], Json::array());
    EXPECT_EQ(config("telegram:\n  allow_from:\n    - 1\n    - '*'\n")["open"], true);
    EXPECT_EQ(config("telegram:\n  allow_from: [1]\nother: '*'\n")["open"], false);
}

TEST_F(InspectScript, EveryGatewayIsSeenWhateverTheStateFileSays) {
    root_.write("opt/data/gateway_state.json", R"({"pid": 7})");
    for (const char* pid : {"7", "8"}) {
        const std::string folder = std::string("proc/") + pid;
        root_.write(folder + "/cmdline", std::string("/usr/bin/python3\0-m\0hermes_cli\0gateway\0run\0", 43));
        root_.write(folder + "/status", std::string("Uid:\t0\t0\t0\t0\nCapEff:\t00000000000000ff\n"));
        root_.write(folder + "/environ", std::string("TERMINAL_ENV=ssh\0", 17));
    }
    const Json found = said();
    ASSERT_EQ(found["gateways"].size(), 2u);
    EXPECT_EQ(at(found, "/gateways/0/uids"), Json({0, 0, 0, 0}));
    EXPECT_EQ(at(found, "/gateways/0/capabilities"), true);
    EXPECT_EQ(at(found, "/gateways/0/environ"), "read");
    EXPECT_EQ(at(found, "/gateways/0/backend"), "ssh");
}

TEST_F(InspectScript, AFileIsSettledOnceEveryGatewayHasStartedWithIt) {
    const std::string file = root_.write("opt/data/.env", "A=1\n");
    using std::chrono::minutes;
    EXPECT_EQ(settled(), false) << "no gateway";
    start_gateway("7", minutes(1));
    EXPECT_EQ(settled(), false) << "the file is newer";
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - minutes(5));
    EXPECT_EQ(settled(), false) << "cp -p has put it there";
    start_gateway("7", -minutes(1));
    EXPECT_EQ(settled(), true);
    start_gateway("8", minutes(1));
    EXPECT_EQ(settled(), false) << "one has started with the file before";
    std::filesystem::remove_all(root_.path("proc/8"));
    std::filesystem::remove(file);
    EXPECT_EQ(settled(), false) << "it may have been there";
}

TEST_F(InspectScript, ALinkThatLeadsElsewhereSinceIsNotSettled) {
    root_.write("opt/data/other", "A=1\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    start_gateway("7", std::chrono::milliseconds(200));
    std::filesystem::create_symlink("other", root_.path("opt/data/.env"));
    EXPECT_EQ(settled(), false);
    start_gateway("7", -std::chrono::minutes(1));
    EXPECT_EQ(settled(), true);
}

TEST_F(InspectScript, TokensOfCloudsCountTooAndEachOnce) {
    root_.write("var/run/secrets/eks.amazonaws.com/serviceaccount/..2026/token", "x");
    std::filesystem::create_symlink("..2026/token",
                                    root_.path("var/run/secrets/eks.amazonaws.com/serviceaccount/token"));
    root_.write("var/run/secrets/kubernetes.io/serviceaccount/ca.crt", "x");
    EXPECT_EQ(said()["tokens"], Json({"/var/run/secrets/eks.amazonaws.com/serviceaccount/token"}));
}

TEST_F(InspectScript, PipesLoopsAndLargeFilesEndInUnreadable) {
    const auto start = std::chrono::steady_clock::now();
    std::filesystem::create_directories(root_.path("opt/data/config.yaml"));
    ASSERT_EQ(::mkfifo(root_.path("opt/data/.env").c_str(), 0600), 0);
    Json found = said();
    EXPECT_EQ(at(found, "/configs/~1opt~1data~1config.yaml/state"), "unreadable");
    EXPECT_EQ(at(found, "/env_files/~1opt~1data~1.env/state"), "unreadable");
    std::filesystem::remove(root_.path("opt/data/.env"));
    std::filesystem::create_symlink(".env", root_.path("opt/data/.env"));
    EXPECT_EQ(at(said(), "/env_files/~1opt~1data~1.env/state"), "unreadable");
    std::filesystem::remove(root_.path("opt/data/.env"));
    std::filesystem::create_symlink("/dev/zero", root_.path("opt/data/.env"));
    EXPECT_EQ(at(said(), "/env_files/~1opt~1data~1.env/state"), "unreadable");
    std::filesystem::remove(root_.path("opt/data/.env"));
    EXPECT_EQ(env_file(std::string((1 << 20) + 1, '\n'))["state"], "unreadable");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace hermesctl::hermes
