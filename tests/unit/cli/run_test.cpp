// The command line as a whole: run() with a cluster that is not there.
#include "../../../src/cli/commands.hpp"
#include "../../../src/cli/logging.hpp"
#include "../../../src/cli/session.hpp"
#include "hermesctl/base/scrub.hpp"
#include "support/cli_world.hpp"
#include "support/installation.hpp"

#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

namespace hermesctl::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RunTest : public ::testing::Test {
  protected:
    ExitCode run(const std::vector<std::string>& arguments) { return world_.run(arguments); }
    std::string out() const { return world_.out.str(); }
    std::string err() const { return world_.err.str(); }
    kube::Json json() const { return kube::Json::parse(out()); }
    void install(const std::string& ns, const std::string& name, int replicas, int ready) {
        world_.api.put(
            {{"apiVersion", "apps/v1"},
             {"kind", "Deployment"},
             {"metadata",
              {{"name", name},
               {"namespace", ns},
               {"labels", {{"app.kubernetes.io/managed-by", "hermesctl"}}}}},
             {"spec",
              {{"replicas", replicas},
               {"template", {{"spec", {{"containers", {{{"image", "hermes:1"}}}}}}}}}},
             {"status",
              {{"readyReplicas", ready}, {"updatedReplicas", replicas}, {"observedGeneration", 1}}}});
    }
    hermesctl::testing::CliWorld world_{};
};

TEST_F(RunTest, WithoutACommandShowsHelp) {
    EXPECT_EQ(run({}), ExitCode::ok);
    EXPECT_THAT(out(), HasSubstr("usage: hermesctl COMMAND [flags]"));
    EXPECT_EQ(err(), "");
}

TEST_F(RunTest, HelpThatIsLostIsAnError) {
    for (const std::vector<std::string>& line :
         {std::vector<std::string>{}, {"--help"}, {"deploy", "--help"}, {"completion", "bash"}, {"man"}}) {
        world_.out.setstate(std::ios::badbit);
        EXPECT_EQ(run(line), ExitCode::failed) << ::testing::PrintToString(line);
        EXPECT_THAT(err(), HasSubstr("could not be written to stdout"));
    }
}

TEST_F(RunTest, VersionIsTextOrJson) {
    EXPECT_EQ(run({"version"}), ExitCode::ok);
    EXPECT_EQ(out(), "hermesctl 1.2.3 (abc1234)\n");
    run({"--version"});
    EXPECT_EQ(out(), "hermesctl 1.2.3 (abc1234)\n");
    for (const auto& line : {std::vector<std::string>{"version", "-o", "json"},
                             {"-o=json", "version"},
                             {"--output=json", "version"}}) {
        EXPECT_EQ(run(line), ExitCode::ok);
        EXPECT_EQ(json()["version"], "1.2.3");
        EXPECT_EQ(json()["commit"], "abc1234");
        EXPECT_THAT(json()["libcurl"], HasSubstr("curl"));
    }
}

TEST_F(RunTest, UsageErrorsAreCode2InTheContractsForm) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{"verison"},
         "error: there is no command \"verison\"; did you mean version?\n  hint: hermesctl --help\n"},
        {{"frobnicate"}, "error: there is no command \"frobnicate\"\n  hint: hermesctl --help\n"},
        {{"list", "--outptu"},
         "error: there is no flag --outptu; did you mean --output?\n  hint: hermesctl list --help\n"},
        {{"list", "x"}, "error: unexpected argument \"x\"\n  hint: hermesctl list --help\n"},
        {{"list", "version"}, "error: unexpected argument \"version\"\n  hint: hermesctl list --help\n"},
        {{"list", "-n"}, "error: --namespace needs a value\n  hint: hermesctl list --help\n"},
        {{"list", "-o", "xml"},
         "error: --output: \"xml\" is not one of text, json\n  hint: hermesctl list --help\n"},
        {{"exec", "-la", "ls"}, "error: there is no flag -la\n  hint: hermesctl exec --help\n"},
        {{"completion"}, "error: SHELL is required\n  hint: hermesctl completion --help\n"},
    };
    for (const auto& [line, expected] : cases) {
        EXPECT_EQ(run(line), ExitCode::usage);
        EXPECT_EQ(err(), expected);
        EXPECT_EQ(out(), "");
    }
    EXPECT_EQ(world_.connected_to, "") << "nothing is sent for a line that is wrong";
}

TEST_F(RunTest, UsageErrorsAreJsonTooWhenThatWasAskedFor) {
    EXPECT_EQ(run({"-o", "json", "lits"}), ExitCode::usage);
    EXPECT_EQ(json()["error"]["code"], 2);
    EXPECT_THAT(json()["error"]["message"], HasSubstr("did you mean list"));
    EXPECT_THAT(err(), StartsWith("error: "));
}

TEST_F(RunTest, HelpWinsOverWhatIsMissing) {
    EXPECT_EQ(run({"completion", "--help"}), ExitCode::ok);
    EXPECT_THAT(out(), HasSubstr("usage: hermesctl completion [flags] SHELL"));
}

TEST_F(RunTest, EveryCommandHasHelpWithExamples) {
    for (const Command& command : commands()) {
        ASSERT_EQ(run({std::string(command.name), "-h"}), ExitCode::ok);
        EXPECT_THAT(out(), StartsWith(std::string(command.summary))) << command.name;
        const bool has_examples = out().find("\nexamples:\n") != std::string::npos;
        EXPECT_NE(has_examples, command.hidden) << command.name;
        run({"--help"});
        EXPECT_EQ(out().find("\n  " + std::string(command.name) + " ") == std::string::npos, command.hidden);
    }
}

TEST_F(RunTest, ListShowsInstancesOfAllNamespaces) {
    install("hermes", "hermes", 1, 1);
    install("work", "second", 1, 0);
    install("work", "third", 0, 0);
    EXPECT_EQ(run({"list"}), ExitCode::ok) << err();
    EXPECT_EQ(out(),
              "NAMESPACE  NAME    STATE          IMAGE\nhermes     hermes  connected      hermes:1\n"
              "work       second  not connected  hermes:1\nwork       third   stopped        hermes:1\n");
    EXPECT_EQ(world_.connected_to, "https://k8s.example:6443");
    EXPECT_EQ(run({"list", "-n", "work", "-o", "json"}), ExitCode::ok);
    ASSERT_EQ(json()["instances"].size(), 2U);
    EXPECT_EQ(json()["instances"][0]["name"], "second");
    EXPECT_EQ(json()["instances"][0]["connected"], false);
    EXPECT_EQ(json()["instances"][1]["state"], "stopped");
    world_.api.merge({"Deployment", "hermes", "hermes"}, {{"metadata", {{"generation", 9}}}});
    run({"list", "-n", "hermes", "-o", "json"});
    EXPECT_EQ(json()["instances"][0]["connected"], false) << "its old pod is";
}

TEST_F(RunTest, ListOfNothingSaysSo) {
    EXPECT_EQ(run({"list"}), ExitCode::ok);
    EXPECT_EQ(out(), "no instances\n");
    run({"list", "-n", "elsewhere"});
    EXPECT_EQ(out(), "no instances in namespace elsewhere\n");
    run({"list", "-o", "json"});
    EXPECT_EQ(out(), "{\n  \"instances\": []\n}\n");
}

TEST_F(RunTest, ADeniedListIsCode4) {
    world_.api.deny("list", "deployments");
    EXPECT_EQ(run({"list", "-o", "json"}), ExitCode::denied);
    EXPECT_EQ(json()["error"]["code"], 4);
    EXPECT_THAT(err(), StartsWith("error: "));
    EXPECT_THAT(err(), HasSubstr("hint: hermesctl list -n NAMESPACE looks into one alone"));
    EXPECT_EQ(run({"list", "-n", "bots"}), ExitCode::denied);
    EXPECT_THAT(err(), Not(HasSubstr("NAMESPACE")));
}

TEST_F(RunTest, AServerThatHangsKeepsNoReaderLongerThanTheTimeout) {
    world_.transport.serve = [](net::Transport::Ticket, const net::Request&) {};
    for (std::vector<std::string> line : {std::vector<std::string>{"status"},
                                          {"list"},
                                          {"diff", "--allow-user", "1"},
                                          {"verify", "--quick"},
                                          {"logs"},
                                          {"wait"},
                                          {"wait", "--no-check"},
                                          {"allow-user", "--list"},
                                          {"rotate-secret", "--list"}}) {
        const auto begun = world_.clock.now();
        const std::string command = line.front();
        line.insert(line.end(), {"--timeout", "10s"});
        EXPECT_EQ(run(line), ExitCode::unreachable) << command;
        EXPECT_EQ(world_.clock.now() - begun, std::chrono::seconds{10}) << command;
        EXPECT_THAT(err(), HasSubstr("error: the API server did not answer: ")) << command;
        EXPECT_THAT(err(), HasSubstr(" (--timeout 10s)\n  while ")) << command;
    }
}

TEST_F(RunTest, AServerThatHangsAtADryRunKeepsNobodyLongerEither) {
    hermesctl::testing::put_installation(world_.api);
    const auto serve = world_.transport.serve;
    world_.transport.serve = [&](net::Transport::Ticket ticket, const net::Request& request) {
        if (request.method == "GET") serve(ticket, request);
    };
    world_.context.environment["TOKEN"] = "123456789:" + std::string(35, 'A');
    for (std::vector<std::string> line :
         {std::vector<std::string>{"diff", "--allow-user", "1", "--secret", "TELEGRAM_BOT_TOKEN=env:TOKEN",
                                   "--secret", "MINIMAX_API_KEY=env:TOKEN"},
          {"stop", "--dry-run"}}) {
        const auto begun = world_.clock.now();
        line.insert(line.end(), {"--timeout", "10s"});
        EXPECT_EQ(run(line), ExitCode::unreachable) << err();
        EXPECT_EQ(world_.clock.now() - begun, std::chrono::seconds{10}) << line.front();
        EXPECT_THAT(err(), HasSubstr(" (--timeout 10s)\n  while ")) << line.front();
        EXPECT_THAT(out(), Not(HasSubstr("would")));
    }
}

TEST_F(RunTest, AnExceptionIsABugAndSaysSo) {
    world_.context.connect = [](const net::Endpoint&, Clock&) -> std::unique_ptr<net::Transport> {
        throw std::out_of_range("vector::at");
    };
    EXPECT_EQ(run({"list"}), ExitCode::failed);
    EXPECT_THAT(err(), StartsWith("error: this is a bug in hermesctl: vector::at\n  hint: "));
}

TEST_F(RunTest, AResultThatCannotBeWrittenIsAFailure) {
    world_.out.setstate(std::ios::badbit);
    EXPECT_EQ(run({"version"}), ExitCode::failed);
    EXPECT_THAT(err(), HasSubstr("stdout"));
}

class SessionTest : public RunTest {
  protected:
    GlobalFlags flags_{};
};

TEST_F(SessionTest, WithoutATerminalNothingIsAsked) {
    Session session(world_.context, flags_);
    EXPECT_NO_THROW(session.confirm("add it?", false)) << "it needs no yes";
    try {
        session.confirm("remove it?", true);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ExitCode::usage);
        EXPECT_THAT(e.hint(), HasSubstr("--yes"));
    }
    flags_.yes = true;
    EXPECT_NO_THROW(session.confirm("remove it?", true));
}

TEST_F(SessionTest, AnnouncesWhereItWorks) {
    Session(world_.context, flags_).announce("hermes");
    EXPECT_EQ(err(), "info  namespace/hermes  context c, https://k8s.example:6443\n");
}

TEST_F(SessionTest, ResultsAreScrubbed) {
    remember_secret("hunter2-hunter2");
    Session session(world_.context, flags_);
    session.print_result({}, "key hunter2-hunter2\n");
    flags_.output = "json";
    session.print_result({{"a", {"hunter2-hunter2", "\xff"}}}, "");
    EXPECT_THAT(out(), Not(HasSubstr("hunter2")));
    EXPECT_THAT(out(), HasSubstr("***"));
}

TEST_F(SessionTest, LogLinesComeOnlyWhenAskedForAndScrubbed) {
    remember_secret("hunter2-hunter2");
    Session session(world_.context, flags_);
    {
        const Logging silent(false, session.story());
        spdlog::debug("unasked");
    }
    EXPECT_EQ(err(), "");
    {
        const Logging logging(true, session.story());
        spdlog::debug("GET /hunter2-hunter2\x1b[2J");
    }
    EXPECT_THAT(err(), HasSubstr("GET /***?[2J\n"));
    spdlog::error("after its end");
    EXPECT_THAT(err(), Not(HasSubstr("after")));
}

}  // namespace
}  // namespace hermesctl::cli
