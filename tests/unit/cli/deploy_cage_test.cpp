// What deploy says of the cage once the bot answers.
#include "running_deploy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using namespace nlohmann::json_literals;
using hermesctl::testing::object_of;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DeployCage : public RunningDeploy {
  protected:
    void open_the_lan() {
        world_.api.put(object_of("NetworkPolicy", "hermes", "open-lan", R"({"spec": {"podSelector": {},
            "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "192.168.0.0/16"}}]}]}})"_json));
    }
};

TEST_F(DeployCage, ALeakIsAFailureAfterItIsSaidThatTheBotAnswers) {
    open_the_lan();
    EXPECT_EQ(world_.run({"deploy"}), ExitCode::failed) << world_.err.str();
    const std::string said = world_.out.str();
    EXPECT_THAT(said, AllOf(HasSubstr("message @cage_bot"), HasSubstr("networkpolicy/open-lan"),
                            HasSubstr("the cage LEAKS: policy-leaks")));
    EXPECT_LT(said.find("@cage_bot"), said.find("LEAKS"));
    EXPECT_EQ(world_.run({"deploy", "-o", "json"}), ExitCode::failed);
    const Json json = Json::parse(world_.out.str());
    EXPECT_EQ(json["answering"], true);
    EXPECT_EQ(json["cage"]["passed"], false);
}

TEST_F(DeployCage, ANodeThatJoinsLaterIsToldByStatusAndClosedByDeploy) {
    const auto status = [&] {
        world_.run({"status", "-o", "json"});
        return Json::parse(world_.out.str());
    };
    EXPECT_THAT(status()["cage"].get<std::string>(), Not(HasSubstr("LEAKS")));
    world_.api.put(
        object_of("Node", "", "late",
                  R"({"status": {"addresses": [{"type": "ExternalIP", "address": "85.10.0.99"}]}})"_json));
    const Json told = status();
    EXPECT_THAT(told["cage"].get<std::string>(), HasSubstr("LEAKS: TCP 85.10.0.99:80 by rule"));
    EXPECT_THAT(told["drift"].dump(),
                AllOf(HasSubstr("the cluster has changed since"), HasSubstr("hermesctl deploy")));
    EXPECT_EQ(world_.run({"deploy", "--no-wait"}), ExitCode::ok) << world_.err.str();
    EXPECT_THAT(world_.api.object({"NetworkPolicy", "hermes", "hermes-egress"}).dump(),
                HasSubstr("85.10.0.99/32"));
    const Json mended = status();
    EXPECT_THAT(mended["cage"].get<std::string>(), Not(HasSubstr("LEAKS")));
    EXPECT_THAT(mended["drift"].dump(), Not(HasSubstr("the cluster has changed")));
}

TEST_F(DeployCage, TheApiServersNameIsClosedWithAllItsAddresses) {
    world_.context.resolve = [](const std::string& name) {
        return name == "k8s.example" ? std::vector<std::string>{"85.10.0.30"} : std::vector<std::string>{};
    };
    world_.run({"status", "-o", "json"});
    EXPECT_THAT(world_.out.str(), HasSubstr("LEAKS: TCP 85.10.0.30:80"));
    EXPECT_EQ(world_.run({"deploy", "--no-wait"}), ExitCode::ok) << world_.err.str();
    EXPECT_THAT(world_.api.object({"NetworkPolicy", "hermes", "hermes-egress"}).dump(),
                HasSubstr("85.10.0.30/32"));
}

TEST_F(DeployCage, ANameThatAProxyResolvesIsNotAskedForHere) {
    bool asked = false;
    world_.context.resolve = [&](const std::string&) {
        asked = true;
        return std::vector<std::string>{"85.10.0.30"};
    };
    world_.context.environment["HTTPS_PROXY"] = "http://proxy.example:3128";
    EXPECT_EQ(world_.run({"deploy", "--no-wait"}), ExitCode::ok) << world_.err.str();
    EXPECT_THAT(world_.err.str(), HasSubstr("the API server is called by a name (k8s.example)"));
    world_.run({"status", "-o", "json"});
    EXPECT_THAT(world_.out.str(), HasSubstr("the API server is called by a name (k8s.example)"));
    EXPECT_FALSE(asked);
}

/// Longer than --timeout, which ends only what has not begun.
TEST_F(DeployCage, AServerThatHangsForAMomentLeavesNoDeployHalfDone) {
    const auto serve = world_.transport.serve;
    Clock::Time well{};
    world_.transport.serve = [&](net::Transport::Ticket ticket, const net::Request& request) {
        const auto now = world_.clock.now();
        if (request.method == "POST" && request.target.find("/leases") != std::string::npos)
            well = now + std::chrono::seconds{25};
        if (request.method != "GET" || now >= well) return serve(ticket, request);
        world_.transport.after(std::chrono::ceil<Clock::Duration>(well - now),
                               [=] { serve(ticket, request); });
    };
    EXPECT_EQ(world_.run({"deploy", "--image", "a/b:2", "--no-wait", "--timeout", "20s"}), ExitCode::ok)
        << world_.err.str();
    EXPECT_GT(well, Clock::Time{});
    EXPECT_THAT(world_.api.object(deployment)["spec"]["template"].dump(), HasSubstr("a/b:2"));
}

TEST_F(DeployCage, IsNotLookedAtWithoutAWaitOrACheck) {
    open_the_lan();
    for (const char* flag : {"--no-check", "--no-wait"}) {
        EXPECT_EQ(world_.run({"deploy", flag}), ExitCode::ok) << flag;
        EXPECT_THAT(world_.out.str(), Not(HasSubstr("cage")));
    }
}

TEST_F(DeployCage, WhatCannotBeLookedAtIsSaidAndNoFailure) {
    world_.api.deny("list", "networkpolicies");
    EXPECT_EQ(world_.run({"deploy"}), ExitCode::ok) << world_.err.str();
    EXPECT_THAT(world_.out.str(), AllOf(HasSubstr("message @cage_bot"), HasSubstr("could not tell"),
                                        Not(HasSubstr("the cage holds"))));
}

}  // namespace
}  // namespace hermesctl::cli
