// manifests/probe.py, the readiness rule, against made-up /proc and /opt/data trees.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/agent.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

constexpr int gateway_pid = 42;

class Probe : public ::testing::Test {
  protected:
    void SetUp() override {
        root_ = std::filesystem::temp_directory_path() / fmt::format("probe-{}", ::getpid());
        std::filesystem::remove_all(root_);
        write("proc/1/stat", stat(1, 100));
        write("proc/1/cmdline", std::string("s6-svscan\0", 10));
        std::filesystem::create_directories(root_ / "opt/data/logs");
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    void write(const std::string& path, const std::string& text) {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path, std::ios::binary) << text;
    }

    /// Clock ticks since boot of a moment so many seconds ago.
    static long ticks(double seconds_ago) {
        timespec now{};
        clock_gettime(CLOCK_BOOTTIME, &now);
        const double since_boot = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
        return static_cast<long>((since_boot - seconds_ago) * static_cast<double>(sysconf(_SC_CLK_TCK)));
    }

    static std::string stat(int pid, long start, char state = 'S') {
        return fmt::format("{} (py (x) thon) {} 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 {} 0 0\n", pid, state,
                           start);
    }

    void gateway_process(long start) {
        write("proc/42/stat", stat(gateway_pid, start));
        write("proc/42/cmdline",
              std::string("/opt/hermes/.venv/bin/python\0/opt/hermes/.venv/bin/hermes\0gateway\0run\0", 71));
    }

    static std::string utc(double seconds_ago) {
        const auto moment = static_cast<std::time_t>(static_cast<double>(std::time(nullptr)) - seconds_ago);
        char text[40];
        std::tm parts{};
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.500000+00:00", gmtime_r(&moment, &parts));
        return text;
    }

    void turns(long start, const std::string& active) {
        write("opt/data/gateway_state.json",
              fmt::format(R"({{"pid":42,"start_time":{},"gateway_state":"running","active_agents":{}}})",
                          start, active));
    }

    void state(long start, const std::string& gateway, const std::string& telegram) {
        write(
            "opt/data/gateway_state.json",
            fmt::format(R"({{"pid":42,"start_time":{},"gateway_state":"{}","platforms":{{"telegram":{}}}}})",
                        start, gateway, telegram));
    }

    ProcessResult run(const std::string& mode) {
        auto result = run_process({.argv = {"/usr/bin/python3", "-I", "-S", SOURCE_DIR "/manifests/probe.py",
                                            mode, root_.string()}});
        return result.value();
    }
    AgentFacts facts() { return parse_facts(run("facts").output, "pod").value(); }
    /// The facts where os.statvfs tells this of the volume.
    AgentFacts facts_where(const std::string& statvfs) {
        const std::string script = fmt::format(
            "import os, sys, types\nos.statvfs = lambda path: types.SimpleNamespace({})\n"
            "exec(open('{}').read())",
            statvfs, SOURCE_DIR "/manifests/probe.py");
        auto result =
            run_process({.argv = {"/usr/bin/python3", "-I", "-S", "-c", script, "facts", root_.string()}});
        return parse_facts(result.value().output, "pod").value();
    }
    /// How many seconds `idle` waits where the turn ends after so many: its clock is made up.
    std::string waited(double turn_ends) {
        const std::string script = fmt::format(R"(import os, sys, time
now = [0.0]
def sleep(seconds):
    now[0] += seconds
    if now[0] >= {}:
        os.unlink(sys.argv[2] + "/opt/data/gateway_state.json")
time.sleep, time.monotonic = sleep, lambda: now[0]
exec(open("{}").read())
print(now[0]))",
                                               turn_ends, SOURCE_DIR "/manifests/probe.py");
        return run_process({.argv = {"/usr/bin/python3", "-I", "-S", "-c", script, "idle", root_.string()}})
            .value()
            .output;
    }
    int exit_of(const std::string& mode) { return run(mode).exit_code; }

    std::filesystem::path root_{};
};

std::string entry(const std::string& state, const std::string& updated_at) {
    return fmt::format(R"({{"state":"{}","updated_at":"{}"}})", state, updated_at);
}

TEST_F(Probe, ConnectedByTheLiveProcessIsReady) {
    const long start = ticks(60);
    gateway_process(start);
    state(start, "running", entry("connected", utc(30)));
    EXPECT_TRUE(facts().ready);
    EXPECT_EQ(exit_of("ready"), 0);
    EXPECT_EQ(exit_of("live"), 0);
}

TEST_F(Probe, EntryOfAnEarlierProcessDoesNotCount) {
    const long start = ticks(10);
    gateway_process(start);
    state(start, "running", entry("connected", utc(30)));
    EXPECT_FALSE(facts().ready);
    EXPECT_EQ(facts().telegram, "");
    EXPECT_EQ(exit_of("ready"), 1);
    EXPECT_EQ(exit_of("live"), 0);
}

TEST_F(Probe, WriterOfTheEntryDecidesWhereItIsNamed) {
    const long start = ticks(10);
    gateway_process(start);
    const std::string updated = utc(30);
    state(start, "running",
          fmt::format(R"({{"state":"connected","writer_pid":42,"writer_start_time":{},"updated_at":"{}"}})",
                      start, updated));
    EXPECT_TRUE(facts().ready);
    state(start, "running",
          fmt::format(R"({{"state":"connected","writer_pid":42,"writer_start_time":{},"updated_at":"{}"}})",
                      start - 1, utc(1)));
    EXPECT_FALSE(facts().ready);
}

TEST_F(Probe, StateOfADeadProcessIsNotReady) {
    state(ticks(60), "running", entry("connected", utc(30)));
    EXPECT_FALSE(facts().alive);
    EXPECT_EQ(exit_of("ready"), 1);
    EXPECT_EQ(exit_of("live"), 1);
    EXPECT_EQ(exit_of("startup"), 1);
}

TEST_F(Probe, ReusedPidIsNotTheGateway) {
    const long start = ticks(60);
    write("proc/42/stat", stat(gateway_pid, ticks(5)));
    write("proc/42/cmdline", std::string("sleep\0infinity\0", 15));
    state(start, "running", entry("connected", utc(30)));
    EXPECT_FALSE(facts().alive);
}

TEST_F(Probe, ZombieIsDead) {
    const long start = ticks(60);
    write("proc/42/stat", stat(gateway_pid, start, 'Z'));
    state(start, "running", entry("connected", utc(30)));
    EXPECT_FALSE(facts().alive);
}

TEST_F(Probe, RespawnedGatewayWithAnOldStateFileIsStarting) {
    gateway_process(ticks(1));
    state(ticks(60), "running", entry("connected", utc(0)));
    const AgentFacts found = facts();
    EXPECT_TRUE(found.alive);
    EXPECT_FALSE(found.ready);
    EXPECT_EQ(found.gateway, "starting");
}

TEST_F(Probe, AnotherPlatformIsNotTelegram) {
    const long start = ticks(60);
    gateway_process(start);
    write("opt/data/gateway_state.json",
          fmt::format(
              R"({{"pid":42,"start_time":{},"gateway_state":"running","platforms":{{"api_server":{}}}}})",
              start, entry("connected", utc(30))));
    EXPECT_FALSE(facts().ready);
}

TEST_F(Probe, NotRunningOrRetryingIsNotReady) {
    const long start = ticks(60);
    gateway_process(start);
    for (const char* gateway : {"starting", "degraded", "draining", "stopped", "startup_failed"}) {
        state(start, gateway, entry("connected", utc(30)));
        EXPECT_FALSE(facts().ready) << gateway;
    }
    for (const char* telegram : {"connecting", "retrying", "disconnected", "fatal"}) {
        state(start, "running", entry(telegram, utc(30)));
        EXPECT_FALSE(facts().ready) << telegram;
    }
}

TEST_F(Probe, TokenInAMessageDoesNotLeaveThePod) {
    const long start = ticks(60);
    gateway_process(start);
    state(start, "running",
          fmt::format(R"({{"state":"retrying","error_code":"telegram_connect_error","updated_at":"{}",
          "error_message":"The token `999:BAD` was rejected by the server."}})",
                      utc(30)));
    EXPECT_EQ(run("facts").output.find("999:BAD"), std::string::npos);
    EXPECT_EQ(facts().message, "The token `***` was rejected by the server.");
}

TEST_F(Probe, AMissingTokenIsToldOnlyWhereItSurelyIs) {
    using namespace std::string_literals;
    const long start = ticks(60);
    gateway_process(start);
    write("opt/data/gateway_state.json",
          fmt::format(R"({{"pid":42,"start_time":{},"gateway_state":"running"}})", start));
    EXPECT_FALSE(facts().tokenless) << "its environment cannot be read";
    write("proc/42/environ", "HOME=/opt/data\0TELEGRAM_BOT_TOKEN=1:a\0"s);
    EXPECT_FALSE(facts().tokenless);
    for (const std::string& lacking : {"HOME=/opt/data\0"s, "HOME=/opt/data\0TELEGRAM_BOT_TOKEN=\0"s}) {
        write("proc/42/environ", lacking);
        EXPECT_TRUE(facts().tokenless);
    }
    write("opt/data/config.yaml", "platforms: {telegram: {token: x}}\n");
    EXPECT_FALSE(facts().tokenless);
    write("opt/data/config.yaml", "platforms: {telegram: {enabled: false}}\n");
    EXPECT_TRUE(facts().tokenless);
    write("opt/data/.env", "# TELEGRAM_BOT_TOKEN=1:a\n");
    EXPECT_TRUE(facts().tokenless);
    write("opt/data/.env", "A=1\nexport TELEGRAM_BOT_TOKEN=1:a\n");
    EXPECT_FALSE(facts().tokenless);
}

TEST_F(Probe, RoomOnTheVolumeIsToldUpToWhatIsEnough) {
    EXPECT_EQ(facts().inodes, 1);
    const AgentFacts full = facts_where("f_bavail=3, f_frsize=512, f_files=9, f_favail=0");
    EXPECT_EQ(full.free, 3 * 512);
    EXPECT_EQ(full.inodes, 0);
    const AgentFacts roomy = facts_where("f_bavail=1 << 40, f_frsize=4096, f_files=9, f_favail=5");
    EXPECT_EQ(roomy.free, enough_room) << "or each write of the agent would be a change";
    EXPECT_EQ(roomy.inodes, 1);
    EXPECT_EQ(facts_where("f_bavail=9, f_frsize=1, f_files=0, f_favail=0").inodes, 1) << "not counted";
}

TEST_F(Probe, OnlyTurnsOfTheLiveProcessCount) {
    const long start = ticks(60);
    gateway_process(start);
    for (const char* active :
         {"0", "null", "\"many\"", "[1]", "true", "-1", "1e400", "12345678901234567890", "2"}) {
        turns(start, active);
        EXPECT_EQ(facts().busy, active[0] == '2' ? 2 : 0) << active;
    }
    turns(start - 1, "2");
    EXPECT_EQ(facts().busy, 0) << "what an earlier one left is never finished";
}

TEST_F(Probe, IdleEndsWithTheTurnAndAfterAMinute) {
    const long start = ticks(60);
    gateway_process(start);
    turns(start, "0");
    EXPECT_EQ(waited(0), "0.0\n");
    turns(start, "1");
    EXPECT_EQ(waited(10), "10.0\n");
    turns(start, "1");
    EXPECT_EQ(waited(1000), "60.0\n") << "a pod that stops cannot wait for ever";
}

TEST_F(Probe, BrokenStateFilesAreNotReady) {
    gateway_process(ticks(60));
    const std::string deep(200'000, '[');
    for (const std::string& text : {std::string(), std::string("{"), std::string("[]"), std::string("{} x"),
                                    std::string(R"({"pid":"x"})"), std::string(R"({"platforms":[1]})"),
                                    std::string("\xff\xfe"), deep}) {
        write("opt/data/gateway_state.json", text);
        EXPECT_EQ(exit_of("ready"), 1) << text.substr(0, 40);
    }
}

TEST_F(Probe, WithoutAStateFileTheLogOfTheLiveProcessDecides) {
    auto log_time = [](double seconds_ago) {
        const auto moment = static_cast<std::time_t>(static_cast<double>(std::time(nullptr)) - seconds_ago);
        char text[40];
        std::tm parts{};
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&moment, &parts));
        return std::string(text);
    };
    gateway_process(ticks(60));
    write("opt/data/logs/gateway.log", log_time(3600) + ",000 INFO gateway.run: ✓ telegram connected\n");
    EXPECT_FALSE(facts().ready);
    write("opt/data/logs/gateway.log", log_time(30) + ",000 INFO gateway.run: Starting Hermes Gateway...\n" +
                                           log_time(20) + ",000 INFO gateway.run: ✓ telegram connected\n");
    EXPECT_TRUE(facts().ready);
    write("opt/data/logs/gateway.log",
          log_time(20) + ",000 INFO gateway.run: ✓ telegram connected (degraded)\n" + log_time(10) +
              ",000 INFO gateway.run: Gateway running with 1 platform(s)\n");
    EXPECT_FALSE(facts().ready);
}

}  // namespace
}  // namespace hermesctl::hermes
