// verify as a command: what it refuses, how it ends, what it writes; and what deploy says of the cage.
#include "../../../src/cli/cage_check.hpp"
#include "../../../src/cli/report_delivery.hpp"
#include "../../../src/cli/report_text.hpp"
#include "../../../src/cli/verify_parts.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/term/text.hpp"
#include "support/cli_world.hpp"
#include "support/sample_report.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using hermesctl::testing::hostile_report;
using hermesctl::testing::leaking_report;
using hermesctl::testing::sample_report;
using hermesctl::testing::wordy_rows;
using kube::Json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Verify : public ::testing::Test {
  protected:
    std::string refused(const std::vector<std::string>& line) {
        EXPECT_EQ(world_.run(line), ExitCode::usage) << world_.out.str();
        return world_.err.str();
    }
    ExitCode deliver(const hermes::Report& report, const ReportFiles& files = {}) {
        world_.out.str("");
        Session session(world_.context, flags_);
        return cli::deliver(session, report, files);
    }

    hermesctl::testing::CliWorld world_;
    hermesctl::testing::Scratch folder_;
    GlobalFlags flags_{};
};

TEST_F(Verify, RefusesTargetsAsHermesYamlDoes) {
    for (const char* target : {"nas", "nas:0", "nas:70000", ":80", "fd00::1:443", ""}) {
        EXPECT_THAT(refused({"verify", "--lan-target", target}),
                    AllOf(HasSubstr("--lan-target"), HasSubstr("HOST:PORT")))
            << target;
    }
    EXPECT_THAT(refused({"verify", "--quick", "--static"}), HasSubstr("exclude each other"));
    EXPECT_THAT(refused({"verify", "--static", "--lan-target", "nas:80"}), HasSubstr("--lan-target"));
    EXPECT_THAT(world_.connected_to, IsEmpty()) << "before anything is sent";
}

TEST_F(Verify, AFileWithoutAPolicyIsAMistakeOfWhoTypes) {
    EXPECT_THAT(refused({"verify", "--static", "-f", folder_.path("none.yaml")}),
                HasSubstr("does not exist"));
    const std::string broken = folder_.write("broken.yaml", "kind: [NetworkPolicy\n");
    EXPECT_THAT(refused({"verify", "--static", "-f", broken}), HasSubstr("broken.yaml:"));
    const std::string other =
        folder_.write("other.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    EXPECT_THAT(refused({"verify", "--static", "-f", other}), HasSubstr("no NetworkPolicy"));
    world_.in.str("");
    EXPECT_THAT(refused({"verify", "--static", "-f", "-"}), HasSubstr("stdin has no NetworkPolicy"));
    EXPECT_THAT(world_.connected_to, IsEmpty()) << "it needs no cluster";
}

constexpr const char* closed = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {}, policyTypes: [Egress, Ingress]}
)";
constexpr const char* opens_the_lan = R"(
apiVersion: v1
kind: List
items:
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: open-lan}
  spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.168.0.0/16}}]}]}
)";

TEST_F(Verify, JudgesPoliciesInAFile) {
    const std::string good = folder_.write("good.yaml", closed);
    EXPECT_EQ(world_.run({"verify", "--static", "-f", good}), ExitCode::ok) << world_.out.str();
    EXPECT_THAT(world_.out.str(), HasSubstr("the policy holds"));
    world_.in.str(std::string(closed) + "---" + opens_the_lan);
    EXPECT_EQ(world_.run({"verify", "--static", "-f", "-", "-o", "json"}), ExitCode::failed);
    const Json json = Json::parse(world_.out.str());
    EXPECT_EQ(json["passed"], false);
    EXPECT_EQ(json["scope"], "static");
    EXPECT_THAT(json["verdict"].get<std::string>(), HasSubstr("the policy LEAKS: policy-leaks"));
    EXPECT_THAT(json["checks"].dump(), HasSubstr("networkpolicy/open-lan"));
    EXPECT_THAT(json["allowed"].dump(), HasSubstr("every port, SCTP every port to 192.168.0.0/16"));
    EXPECT_THAT(world_.connected_to, IsEmpty()) << "it needs no cluster";
}

TEST_F(Verify, JudgesSeveralFilesTogether) {
    const std::string wide = folder_.write("wide.yaml", opens_the_lan);
    const std::string deny = folder_.write("deny.yaml", closed);
    for (const auto& [first, second] : {std::pair{wide, deny}, {deny, wide}}) {
        EXPECT_EQ(world_.run({"verify", "--static", "-f", first, "-f", second}), ExitCode::failed);
        EXPECT_THAT(world_.out.str(), AllOf(HasSubstr("networkpolicy/open-lan"), HasSubstr("wide.yaml"),
                                            HasSubstr("deny.yaml")));
    }
    world_.in.str(opens_the_lan);
    EXPECT_EQ(world_.run({"verify", "--static", "-f", deny, "-f", "-"}), ExitCode::failed);
    const std::string pods = folder_.write("pods.yaml", "kind: Pod\nmetadata: {name: a}\n");
    EXPECT_EQ(world_.run({"verify", "--static", "-f", pods, "-f", deny}), ExitCode::ok) << world_.out.str();
    EXPECT_THAT(refused({"verify", "--static", "-f", pods, "-f", folder_.path("none.yaml")}),
                HasSubstr("none.yaml does not exist"));
    EXPECT_THAT(refused({"verify", "--static", "-f", pods, "-f", pods}), HasSubstr("has no NetworkPolicy"));
}

TEST_F(Verify, APolicyThatTheServerWouldRefuseIsNotJudged) {
    const std::string good = folder_.write("good.yaml", closed);
    const std::string bad = folder_.write(
        "bad.yaml", "kind: List\nitems: [{kind: NetworkPolicy, metadata: {name: a}, spec: {egres: []}}]\n");
    EXPECT_THAT(refused({"verify", "--static", "-f", good, "-f", bad}),
                AllOf(HasSubstr("bad.yaml: networkpolicy/a: spec.egres: unknown key 'egres'"),
                      Not(HasSubstr("good.yaml")), HasSubstr("--dry-run=server")));
}

TEST_F(Verify, WhoseFileHoldsAPolicyIsToldHowItIsJudged) {
    const std::string file = folder_.write("policy.yaml", closed);
    for (const char* command : {"verify", "status"})
        EXPECT_THAT(refused({command, "-f", file}),
                    HasSubstr("hermesctl verify -f " + file + " --static judges a NetworkPolicy"));
    const std::string other = folder_.write("other.yaml", "kind: Pod\n");
    EXPECT_THAT(refused({"verify", "-f", other}), Not(HasSubstr("--static")));
}

TEST_F(Verify, NoFileIsDroppedWithoutAWord) {
    const std::string deny = folder_.write("deny.yaml", closed);
    for (const char* command : {"verify", "status", "deploy", "render", "list"})
        EXPECT_THAT(refused({command, "-f", deny, "-f", deny}), HasSubstr("-f is given 2 times")) << command;
    EXPECT_THAT(refused({"-f", deny, "status", "-f", deny}), HasSubstr("-f is given 2 times"));
    EXPECT_THAT(world_.connected_to, IsEmpty());
}

TEST_F(Verify, WithoutAnInstallationSaysSo) {
    EXPECT_EQ(world_.run({"verify", "--name", "bob"}), ExitCode::failed);
    EXPECT_THAT(world_.err.str(), HasSubstr("there is no deployment/bob in namespace hermes"));
}

TEST_F(Verify, EndsWellOnlyForAPass) {
    EXPECT_EQ(deliver(sample_report()), ExitCode::ok);
    EXPECT_THAT(world_.out.str(), HasSubstr("the cage holds: 4 passed"));
    EXPECT_EQ(deliver(leaking_report()), ExitCode::failed);
    EXPECT_THAT(world_.out.str(), HasSubstr("the cage LEAKS: live-lan"));
    flags_.output = "json";
    EXPECT_EQ(deliver(leaking_report()), ExitCode::failed);
    EXPECT_EQ(Json::parse(world_.out.str())["counts"]["failed"], 1);
}

TEST_F(Verify, WritesWhatWasAskedFor) {
    deliver(leaking_report(), {folder_.path("junit.xml"), folder_.path("page.html")});
    EXPECT_THAT(read_file(folder_.path("junit.xml")).value_or(""), StartsWith("<?xml"));
    EXPECT_THAT(read_file(folder_.path("page.html")).value_or(""), StartsWith("<!DOCTYPE html>"));
}

TEST_F(Verify, AFileThatCannotBeWrittenIsAFailureAfterAllElseIsTold) {
    try {
        deliver(sample_report(), {folder_.path("no/junit.xml"), folder_.path("page.html")});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::failed);
        EXPECT_THAT(error.message(), HasSubstr("cannot write " + folder_.path("no/junit.xml")));
    }
    EXPECT_THAT(world_.out.str(), HasSubstr("the cage holds"));
    EXPECT_TRUE(read_file(folder_.path("page.html"))) << "the other one is written all the same";
}

TEST_F(Verify, AFileThatCannotBeWrittenAndTheReportAreOneDocument) {
    const std::string policy = folder_.write("policies.yaml", closed);
    EXPECT_EQ(world_.run({"verify", "--static", "-f", policy, "-o", "json", "--junit", folder_.path("no/x")}),
              ExitCode::failed);
    const auto said = kube::Json::parse(world_.out.str());
    EXPECT_TRUE(said.contains("checks"));
    EXPECT_THAT(said["error"]["message"].dump(), HasSubstr("cannot write"));
}

TEST_F(Verify, RowsAreMadeFitToBeShown) {
    hermes::Checks rows = hostile_report().checks;
    rows.back().evidence += " 123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr";
    rows.back().hint = "hermesctl deploy";
    flags_.name = "bob";
    const hermes::Check row = told(rows, flags_).back();
    EXPECT_THAT(row.evidence,
                AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\xE2\x80\xAE")), Not(HasSubstr("AAbbcc"))));
    EXPECT_EQ(row.hint, "hermesctl deploy --name bob");
}

TEST_F(Verify, WhatARowThatPassesSaysIsWholeOnNarrowTerminals) {
    const auto without_spaces = [](std::string text) {
        std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
        return text;
    };
    for (const int width : {40, 80}) {
        const std::string shown = rows_text(wordy_rows(), {.out_is_terminal = true, .width = width});
        for (const hermes::Check& row : wordy_rows())
            EXPECT_THAT(without_spaces(shown), HasSubstr(without_spaces(row.evidence))) << width;
        std::istringstream lines(shown);
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(term::columns(line), width) << line;
    }
    const std::string wide = rows_text(wordy_rows(), {.out_is_terminal = true, .width = 250});
    EXPECT_EQ(std::ranges::count(wide, '\n'), 6) << "what fits stands in its row's own line:\n" << wide;
}

TEST(VerifyText, TheCommandOfAPassIsShownToo) {
    hermes::Report report = sample_report();
    report.checks.back() = {.id = "agent-image",
                            .group = "agent",
                            .title = "which image runs is known",
                            .verdict = hermes::Verdict::pass,
                            .hint = "to keep this one: hermesctl deploy --image a@sha256:1",
                            .decisive = false};
    for (const std::string& said :
         {report_text(report, {.out_is_terminal = true, .width = 40}), html_of(report), junit_of(report)})
        EXPECT_THAT(said, HasSubstr("next: to keep this one: hermesctl deploy --image a@sha256:1"));
}

TEST(CageCheck, IsALineWhereItHoldsAndTheRowsWhereItDoesNot) {
    hermes::Report report = sample_report();
    report.scope = hermes::Scope::quick;
    const CageCheck good = summary_of(report, {});
    EXPECT_FALSE(good.leaks);
    EXPECT_EQ(good.text, "the cage holds (4 checks); hermesctl verify proves it in full\n");
    EXPECT_THAT(good.json["checks"], IsEmpty());
    const CageCheck bad = summary_of(leaking_report(), {});
    EXPECT_TRUE(bad.leaks);
    EXPECT_THAT(bad.text, AllOf(HasSubstr("FAIL the LAN is out of reach"), HasSubstr("the cloud's metadata"),
                                HasSubstr("the cage LEAKS: live-lan"), Not(HasSubstr("Telegram"))));
    EXPECT_EQ(bad.json["checks"].size(), 2u);
}

TEST(CageCheck, WarningsAreShownThoughTheCageHolds) {
    hermes::Report report = sample_report();
    report.checks.push_back({.id = "policy-resolvers",
                             .group = "policy",
                             .title = "the pod's own name servers are open to it",
                             .verdict = hermes::Verdict::warn,
                             .evidence = "no rule opens UDP and TCP 53 of 169.254.25.10",
                             .decisive = false});
    report.checks.push_back({.id = "agent-allowlist",
                             .group = "agent",
                             .title = "the bot answers its users and nobody else",
                             .verdict = hermes::Verdict::warn,
                             .evidence = "still in: 555",
                             .decisive = false});
    const CageCheck check = summary_of(report, {});
    EXPECT_FALSE(check.leaks);
    EXPECT_EQ(check.json["passed"], true);
    EXPECT_EQ(check.json["checks"].size(), 2u);
    EXPECT_THAT(check.text, HasSubstr("still in: 555"));
    EXPECT_THAT(check.text, AllOf(HasSubstr("WARN the pod's own name servers"), HasSubstr("169.254.25.10"),
                                  HasSubstr("the cage holds (4 checks)")));
}

TEST(CageCheck, WhatCouldNotBeToldIsNoLeakAndNoPass) {
    hermes::Report report = sample_report();
    report.checks.push_back({.id = "live-api", .verdict = hermes::Verdict::inconclusive});
    const CageCheck check = summary_of(report, {});
    EXPECT_FALSE(check.leaks);
    EXPECT_EQ(check.json["passed"], false);
    EXPECT_THAT(check.text, HasSubstr("could not tell: live-api"));
}

}  // namespace
}  // namespace hermesctl::cli
