// What the rows add up to, and the same for programs, CI systems and browsers.
#include "hermesctl/hermes/report.hpp"

#include "hermes/markup.hpp"
#include "hermes/report_picture.hpp"
#include "hermesctl/base/file.hpp"
#include "support/command.hpp"
#include "support/sample_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using hermesctl::testing::hostile_report;
using hermesctl::testing::leaking_report;
using hermesctl::testing::sample_report;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Report with(Verdict verdict, bool decisive) {
    Report report = sample_report();
    report.checks.push_back({.id = "a-row", .verdict = verdict, .decisive = decisive});
    return report;
}

TEST(Report, OnlyAPassOfEveryDecisiveRowIsAPass) {
    EXPECT_TRUE(passed(sample_report())) << "a warning that does not decide";
    EXPECT_TRUE(passed(with(Verdict::pass, true)));
    EXPECT_TRUE(passed(with(Verdict::not_applicable, true)));
    for (const Verdict verdict : {Verdict::fail, Verdict::inconclusive, Verdict::warn}) {
        EXPECT_FALSE(passed(with(verdict, true))) << word_of(verdict);
        EXPECT_TRUE(passed(with(verdict, false))) << word_of(verdict);
    }
}

TEST(Report, NothingLookedAtIsNoPass) {
    Report report = sample_report();
    report.checks.clear();
    EXPECT_FALSE(passed(report));
    EXPECT_THAT(verdict_of(report), StartsWith("could not tell: nothing was proved"));
    report.checks = {{.id = "a", .verdict = Verdict::not_applicable},
                     {.id = "b", .verdict = Verdict::warn, .decisive = false}};
    EXPECT_FALSE(passed(report));
}

TEST(Report, SaysInOneLineWhetherTheCageHolds) {
    EXPECT_EQ(verdict_of(sample_report()),
              "the cage holds: 4 passed, 1 warning, 1 not applicable; open: any public host on TCP 443 and "
              "80, names through the cluster's DNS");
    EXPECT_EQ(verdict_of(leaking_report()),
              "the cage LEAKS: live-lan (4 passed, 1 failed, 1 inconclusive, 1 warning, 1 not applicable)");
    EXPECT_THAT(verdict_of(with(Verdict::inconclusive, true)), StartsWith("could not tell: a-row (4 passed"));
    Report many = sample_report();
    for (const char* id : {"a", "b", "c", "d", "e", "f"})
        many.checks.push_back({.id = id, .verdict = Verdict::fail});
    EXPECT_THAT(verdict_of(many), StartsWith("the cage LEAKS: a, b, c, d and 2 more ("));
    many.checks.push_back({.id = "a", .title = "a (any pod in b)", .verdict = Verdict::fail});
    EXPECT_THAT(verdict_of(many), StartsWith("the cage LEAKS: a, b, c, d and 2 more (")) << "an id once";
    Report computed = sample_report();
    computed.scope = Scope::computed;
    EXPECT_THAT(verdict_of(computed), StartsWith("the policy holds")) << "nothing was measured";
}

TEST(Report, AnAgentThatIsCutOffIsNoLeak) {
    Report report = sample_report();
    report.checks.push_back({.id = "live-telegram", .verdict = Verdict::fail});
    report.checks.push_back({.id = "live-ntp", .verdict = Verdict::inconclusive});
    EXPECT_THAT(verdict_of(report), StartsWith("the agent is cut off: live-telegram ("));
    report.checks.push_back({.id = "live-provider", .verdict = Verdict::fail});
    EXPECT_THAT(verdict_of(report), StartsWith("the agent is cut off: live-telegram, live-provider ("));
    EXPECT_FALSE(passed(report));
    report.checks.push_back({.id = "live-lan", .verdict = Verdict::fail});
    EXPECT_THAT(verdict_of(report), StartsWith("the cage LEAKS: live-lan (")) << "that is the worse news";
}

TEST(Report, TheVerdictSaysWhatItDoesNotCount) {
    for (const Verdict verdict : {Verdict::warn, Verdict::inconclusive}) {
        Report report = sample_report();
        report.checks.push_back({.id = "policy-other-kinds",
                                 .verdict = verdict,
                                 .evidence = "not counting CiliumNetworkPolicy/open",
                                 .decisive = false});
        EXPECT_THAT(verdict_of(report),
                    AllOf(StartsWith("the cage holds"), EndsWith("; not counting CiliumNetworkPolicy/open")));
        report.checks.back().verdict = Verdict::pass;
        EXPECT_THAT(verdict_of(report), Not(HasSubstr("not counting")));
    }
}

TEST(Report, JsonHasTheSameKeysAlways) {
    const Json json = to_json(leaking_report());
    EXPECT_EQ(json["passed"], false);
    EXPECT_EQ(json["counts"],
              (Json{{"passed", 4}, {"warned", 1}, {"failed", 1}, {"inconclusive", 1}, {"notApplicable", 1}}));
    ASSERT_EQ(json["checks"].size(), 8u);
    const Json& row = json["checks"][6];
    EXPECT_EQ(row["id"], "live-lan");
    EXPECT_EQ(row["verdict"], "FAIL");
    EXPECT_EQ(row["decisive"], true);
    for (const char* key : {"group", "title", "evidence", "hint"})
        EXPECT_TRUE(row[key].is_string()) << key;
    EXPECT_EQ(json["checks"][3]["verdict"], "NOT-APPLICABLE");
    EXPECT_EQ(json["open"].size(), 2u);
    EXPECT_EQ(json["allowed"].size(), 2u);
}

/// Strictly, by a parser that takes nothing else; `find` is Python that prints what the test wants to know.
std::string parsed(const std::string& text, const std::string& find) {
    const std::string script =
        "import sys, xml.etree.ElementTree as tree\n"
        "root = tree.fromstring(sys.stdin.buffer.read())\n" +
        find;
    const testing::Finished result = testing::finished({"/usr/bin/python3", "-I", "-c", script}, {}, text);
    EXPECT_EQ(result.code, 0) << result.err;
    return result.out;
}

TEST(ReportJunit, ARowIsATestCase) {
    const std::string told =
        parsed(junit_of(leaking_report()),
               "suite = root.find('testsuite')\n"
               "print(root.get('tests'), root.get('failures'), root.get('errors'), root.get('skipped'))\n"
               "for case in suite.iter('testcase'):\n"
               "    print(case.get('classname'), case.get('name').split(':')[0], *[x.tag for x in case])\n");
    EXPECT_EQ(told,
              "8 1 1 1\n"
              "verify.policy policy-leaks system-out\n"
              "verify.live live-api system-out\n"
              "verify.live live-telegram system-out\n"
              "verify.live live-tailnet skipped\n"
              "verify.identity identity-token system-out\n"
              "verify.agent agent-image system-out\n"
              "verify.live live-lan failure\n"
              "verify.live live-metadata error\n");
}

TEST(ReportJunit, WhatMakesVerifyFailMakesTheCiFail) {
    const std::string find = "print(int(root.get('failures')) + int(root.get('errors')))";
    for (const Verdict verdict : {Verdict::fail, Verdict::inconclusive, Verdict::warn})
        EXPECT_EQ(parsed(junit_of(with(verdict, true)), find), "1\n") << word_of(verdict);
    EXPECT_EQ(parsed(junit_of(with(Verdict::inconclusive, false)), find), "0\n");
}

TEST(ReportJunit, HoldsWhateverARowHolds) {
    const std::string told =
        parsed(junit_of(hostile_report()), "print(root.find('.//failure').get('message'))");
    EXPECT_THAT(told, AllOf(HasSubstr("<script>document.title='owned'</script>"), HasSubstr("]]>"),
                            HasSubstr("[31mred[0m"), Not(HasSubstr("\x1b"))));
}

TEST(ReportHtml, IsWellFormedWhateverARowHolds) {
    for (const Report& report : {sample_report(), leaking_report(), hostile_report()}) {
        const std::string told =
            parsed(html_of(report),
                   "bad = {'script', 'img', 'link', 'iframe', 'object'}\n"
                   "print([x.tag for x in root.iter() if x.tag in bad], end='')\n"
                   "print([a for x in root.iter() for a in x.attrib if a.startswith('on') or a in ('src',)], "
                   "end='')\n"
                   "print([x.get('href') for x in root.iter('a') if not x.get('href').startswith('#')])\n");
        EXPECT_EQ(told, "[][][]\n");
    }
}

TEST(Escaped, DropsWhatXmlCannotHold) {
    EXPECT_EQ(escaped("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
    EXPECT_EQ(escaped("a\x1b\x7f\x01\xff\xC2\x85z"), "az");
    EXPECT_EQ(escaped("a\n\tb"), "a\n\tb");
    EXPECT_EQ(escaped("\xEF\xBF\xBF\xEF\xBF\xBE\xF0\x9F\xBF\xBF"), "") << "noncharacters";
    EXPECT_EQ(escaped("\xE2\x80\xAE"), "") << "turns text around";
    EXPECT_EQ(escaped("日本 🚀"), "日本 🚀");
}

std::optional<Verdict> shown(const Checks& checks, std::string_view label) {
    for (const Destination& to : destinations_of(checks)) {
        if (to.label == label) return to.verdict;
    }
    ADD_FAILURE() << label;
    return std::nullopt;
}

/// The computed rows that speak for a place together, all but one of them a pass.
Checks with_policies(Checks checks, const std::string& bad = "", Verdict verdict = Verdict::fail) {
    for (const char* id : {"policy-present", "policy-leaks", "policy-open-ports", "policy-pods"})
        checks.push_back({.id = id, .verdict = id == bad ? verdict : Verdict::pass});
    return checks;
}

TEST(Picture, ShowsTheWorstOfEachPlace) {
    const Checks checks = with_policies(leaking_report().checks);
    EXPECT_EQ(shown(checks, "API server"), Verdict::pass);
    EXPECT_EQ(shown(checks, "the local network"), Verdict::fail);
    EXPECT_EQ(shown(checks, "cloud metadata"), Verdict::inconclusive);
    EXPECT_EQ(shown(checks, "tailnet"), Verdict::not_applicable);
    EXPECT_EQ(shown(checks, "other pods"), Verdict::pass) << "as computed: it was not probed";
    EXPECT_EQ(shown(checks, "nodes: kubelet, ports"), std::nullopt)
        << "not all enforcers govern a pod's own node";
    EXPECT_EQ(shown(checks, "ping (ICMP)"), std::nullopt) << "no policy speaks of it";
    EXPECT_EQ(shown(checks, "the cluster's DNS"), Verdict::pass) << "Telegram was found by its name";
    EXPECT_EQ(shown(checks, "internet: the model"), std::nullopt) << "nothing computed makes it work";
}

TEST(Picture, ALeakInThePolicySaysNothingOfAPlaceThatWasNotProbed) {
    for (const char* id : {"policy-present", "policy-leaks", "policy-open-ports", "policy-pods"}) {
        const Checks checks = with_policies({}, id);
        EXPECT_EQ(shown(checks, "the local network"), std::nullopt) << id;
        EXPECT_THAT(picture_of(checks), HasSubstr("the local network: not looked at")) << id;
    }
    Checks two = with_policies({});
    two.push_back({.id = "policy-leaks", .verdict = Verdict::fail});
    EXPECT_EQ(shown(two, "tailnet"), std::nullopt) << "another pod of the same file";
    EXPECT_EQ(shown({}, "tailnet"), std::nullopt);
}

TEST(Picture, AProbeThatPassesDoesNotHideWhatAPolicyOpens) {
    const Checks probed{{.id = "live-dns-ports", .verdict = Verdict::pass},
                        {.id = "live-resolvers", .verdict = Verdict::pass}};
    EXPECT_EQ(shown(with_policies(probed), "other pods"), Verdict::pass);
    for (const Checks& probes : {probed, Checks{}}) {
        for (const Verdict verdict : {Verdict::fail, Verdict::warn, Verdict::inconclusive}) {
            EXPECT_EQ(shown(with_policies(probes, "policy-pods", verdict), "other pods"), verdict);
            EXPECT_EQ(shown(with_policies(probes, "policy-open-ports", verdict), "other resolvers, UDP"),
                      verdict);
        }
    }
    // A pass of that row alone is none of the place.
    EXPECT_EQ(shown(with_policies({}, "policy-leaks"), "other pods"), std::nullopt);
}

TEST(Picture, TellsWhatIsReachedToThoseWhoHearIt) {
    EXPECT_THAT(picture_of(leaking_report().checks),
                AllOf(HasSubstr("internet: Telegram: reached"), HasSubstr("API server: not reached"),
                      HasSubstr("the local network: reached"), HasSubstr("cloud metadata: could not tell")));
}

}  // namespace
}  // namespace hermesctl::hermes
