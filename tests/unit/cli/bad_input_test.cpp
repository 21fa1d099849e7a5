// What is wrong outside: a kubeconfig, a server, a name. Each is an exit code, an error with a hint on
// stderr, and the same as JSON on stdout where that was asked for.
#include "hermesctl/base/interrupt.hpp"
#include "support/cli_world.hpp"
#include "support/installation.hpp"
#include "support/scratch.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using hermesctl::testing::answer;
using hermesctl::testing::CliWorld;
using hermesctl::testing::refusal;
using ::testing::HasSubstr;

class BadInput : public ::testing::Test {
  protected:
    BadInput() { hermesctl::testing::put_installation(world_.api); }

    void expect_error(const std::vector<std::string>& line, ExitCode code, const std::string& said,
                      const std::string& hint) {
        expect_error(world_, line, code, said, hint);
    }
    /// `hint` empty: what is said is enough.
    static void expect_error(CliWorld& world, std::vector<std::string> line, ExitCode code,
                             const std::string& said, const std::string& hint) {
        const std::string shown = ::testing::PrintToString(line);
        EXPECT_EQ(world.run(line), code) << shown << world.err.str();
        EXPECT_EQ(world.out.str(), "") << shown;
        const std::string text = world.err.str();
        EXPECT_THAT(text, HasSubstr("error: ")) << shown;
        EXPECT_THAT(text, HasSubstr(said)) << shown;
        EXPECT_EQ(text.find("\n  hint: ") != std::string::npos, !hint.empty()) << shown << text;
        EXPECT_THAT(text, HasSubstr(hint)) << shown;
        line.insert(line.end(), {"-o", "json"});
        EXPECT_EQ(world.run(line), code) << shown;
        EXPECT_THAT(world.err.str(), HasSubstr("error: ")) << shown;
        const auto json = kube::Json::parse(world.out.str(), nullptr, false);
        EXPECT_EQ(kube::int_at(json, "/error/code"), static_cast<int>(code)) << shown << world.out.str();
        EXPECT_THAT(kube::text_at(json, "/error/message"), HasSubstr(said)) << shown;
        EXPECT_THAT(kube::text_at(json, "/error/hint"), HasSubstr(hint)) << shown;
        EXPECT_TRUE(kube::at(json, "/error/while").is_array()) << shown;
    }

    CliWorld world_{};
    hermesctl::testing::Scratch scratch_{};
};

TEST_F(BadInput, OfWhatCanChangeSomethingJsonSaysThatNothingWasChanged) {
    const std::string file = scratch_.write("hermes.yaml", "frobnicate: 1\n");
    const auto said = [this](std::vector<std::string> line) {
        line.insert(line.begin(), {"-o", "json"});
        EXPECT_NE(world_.run(line), ExitCode::ok) << ::testing::PrintToString(line);
        return kube::Json::parse(world_.out.str());
    };
    for (const char* command : {"deploy", "stop", "start", "restart", "teardown"}) {
        EXPECT_EQ(said({command, "-f", file})["changed"], kube::Json(false)) << command;
        EXPECT_EQ(said({command, "--frobnicate"})["changed"], kube::Json(false)) << command;
    }
    for (const auto& line : std::vector<std::vector<std::string>>{{"cp", "a", "b"},
                                                                  {"rotate-secret"},
                                                                  {"allow-user"},
                                                                  {"allow-user", "1", "-f", file},
                                                                  {"stop", "--name", "bob"}})
        EXPECT_EQ(said(line)["changed"], kube::Json(false)) << ::testing::PrintToString(line);
    EXPECT_EQ(said({"cp", "/nonexistent", ":a"})["changed"], kube::Json(false)) << "there is no agent";
    EXPECT_EQ(said({"cp", "/nonexistent", ":a", "--dry-run"})["changed"], kube::Json(false));
    EXPECT_FALSE(said({"status", "-f", file}).contains("changed")) << "it only reads";
}

TEST_F(BadInput, AKubeconfigThatIsNoneIsAUsageError) {
    struct Case {
        std::string path;
        const char* said;
    };
    for (const Case& each : {Case{"/nonexistent/config", "there is no kubeconfig /nonexistent/config"},
                             Case{scratch_.write("empty", ""), "no context in kubeconfig"},
                             Case{scratch_.write("binary", std::string("\x7f"
                                                                       "ELF\0\1\2\xff\xfe",
                                                                       9)),
                                  "binary"},
                             Case{scratch_.write("list", "[1, 2]\n"), "this is not a kubeconfig"},
                             Case{scratch_.path(), "is a directory"}}) {
        for (const char* command : {"list", "status", "stop"})
            expect_error({command, "--kubeconfig", each.path}, ExitCode::usage, each.said,
                         "--kubeconfig FILE");
    }
    EXPECT_EQ(world_.connected_to, "");
}

TEST_F(BadInput, AFileThatCtrlCCutOffIsNotUsed) {
    catch_interrupts();
    world_.in.str("kind: Hermes\nname: hermes\n");
    ::raise(SIGINT);
    EXPECT_EQ(world_.run({"render", "--explain", "-f", "-"}), ExitCode::interrupted);
    EXPECT_EQ(world_.out.str(), "");
}

TEST_F(BadInput, AContextThatIsNotThereIsAUsageError) {
    const std::string said = "there is no context \"other\"";
    expect_error({"status", "--context", "other"}, ExitCode::usage, said, "one of: c");
    expect_error({"status", "--context", "other", "--kubeconfig", scratch_.write("empty", "")},
                 ExitCode::usage, said, "--kubeconfig FILE");
    EXPECT_EQ(world_.connected_to, "");
}

TEST_F(BadInput, WhatTheServerAnswersDecidesTheCode) {
    struct Case {
        net::Response response;
        ExitCode code;
        const char* said;
        const char* hint;
    };
    const std::string page = "<html><head><title>Log in</title></head></html>";
    for (const Case& each :
         {Case{refusal(401, "Unauthorized", "Unauthorized"), ExitCode::denied, "refused the credentials",
               "log in"},
          Case{refusal(403, "Forbidden", "you may not"), ExitCode::denied, "you may not", ""},
          Case{refusal(409, "Conflict", "it has been modified"), ExitCode::failed, "it has been modified",
               "at the same time"},
          Case{refusal(429, "TooManyRequests", "not so fast"), ExitCode::failed, "not so fast",
               "in a minute"},
          Case{refusal(500, "InternalError", "etcd is slow"), ExitCode::failed, "etcd is slow", ""},
          Case{refusal(503, "ServiceUnavailable", "not now"), ExitCode::failed, "not now", "/readyz"},
          Case{refusal(504, "Timeout", "too slow"), ExitCode::timeout, "too slow", ""},
          Case{answer(502, page), ExitCode::failed, "HTTP 502: Log in", ""},
          Case{answer(200, page), ExitCode::failed, "not JSON, so not from an API server: Log in",
               "base path"}}) {
        CliWorld world;
        hermesctl::testing::put_installation(world.api);
        world.api.fail_always("", "", each.response);
        for (const char* command : {"list", "status", "logs", "stop", "deploy"})
            expect_error(world, {command, "-n", "hermes"}, each.code, each.said, each.hint);
        // It bears a server that is away for a moment; one that stays so is not there.
        const bool denied = each.code == ExitCode::denied;
        expect_error(world, {"wait"}, denied ? each.code : ExitCode::unreachable, each.said,
                     denied ? each.hint : "hermesctl");
    }
}

TEST_F(BadInput, TheConsoleHasNoStartOfTheGateway) {
    expect_error({"logs", "--source", "console", "--since-boot"}, ExitCode::usage, "--since-boot",
                 "hermesctl logs --source console");
    EXPECT_EQ(world_.api.log, std::vector<std::string>{});
}

TEST_F(BadInput, AServerThatIsNotThereIsCode3) {
    world_.api.down = true;
    for (const char* command : {"list", "status", "logs", "stop", "deploy"})
        expect_error({command}, ExitCode::unreachable, "cannot reach the API server", "--context");
}

TEST_F(BadInput, AnInstanceThatIsNotThereIsAFailure) {
    for (const char* command : {"status", "wait", "logs", "stop", "start", "restart"})
        expect_error({command, "--name", "nobody"}, ExitCode::failed, "nobody", "hermesctl ");
}

}  // namespace
}  // namespace hermesctl::cli
