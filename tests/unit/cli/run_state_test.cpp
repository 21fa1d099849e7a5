// stop, start, restart and wait as commands: what they need, and what they wait for.
#include "hermesctl/base/interrupt.hpp"
#include "support/at_a_terminal.hpp"
#include "support/cli_world.hpp"
#include "support/installation.hpp"
#include "support/scratch.hpp"

#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using namespace std::chrono_literals;
using hermesctl::testing::FakeProcess;
using hermesctl::testing::object_of;
using hermesctl::testing::owner;
using kube::Json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const kube::Ref deployment{"Deployment", "hermes", "hermes"};
const kube::Ref replica_set{"ReplicaSet", "hermes", "hermes-1"};
const kube::Ref pod{"Pod", "hermes", "hermes-1-a"};
const kube::Ref config{"ConfigMap", "hermes", "hermes-config"};

class RunState : public ::testing::Test {
  protected:
    RunState() {
        hermesctl::testing::put_installation(world_.api);
        world_.api.on_write = [this](const std::string& type, const Json& object) {
            if (kube::ref_of(object) == deployment && type == "MODIFIED")
                world_.transport.after(controller_takes, [this] { reconcile(); });
            if (type == "DELETED" && kube::ref_of(object).kind == "Pod") on_pod_deleted();
        };
        world_.api.on_exec = [this](FakeProcess& process) {
            const bool lifelines =
                process.argv.size() > 4 && process.argv[4].find("getMe") != std::string::npos;
            if (lifelines) return process.exit(1);
            process.out(Json{{"alive", true},
                             {"ready", true},
                             {"gateway", "running"},
                             {"telegram", "connected"},
                             {"busy", turns()}}
                            .dump() +
                        "\n");
            if (process.argv.back() == "facts") process.exit(0);
        };
    }

    /// The controllers: they scale the ReplicaSet, then the pod stops within its grace.
    void reconcile() {
        const Json& now = world_.api.object(deployment);
        const auto replicas = kube::int_at(now, "/spec/replicas");
        scaled_down = scaled_down || replicas == 0;
        world_.api.merge(
            deployment,
            {{"status",
              {{"observedGeneration", kube::int_at(now, "/metadata/generation")}, {"replicas", replicas}}}});
        if (replicas == 0) world_.transport.after(grace, [this] { world_.api.erase(pod); });
    }
    std::string run(const std::vector<std::string>& line, ExitCode expected = ExitCode::ok) {
        const ExitCode code = world_.run(line);
        EXPECT_EQ(code, expected) << world_.err.str();
        return world_.out.str() + world_.err.str();
    }
    std::vector<int> graces() const {
        std::vector<int> found;
        for (const net::Request& request : world_.transport.requests) {
            if (request.method == "DELETE")
                found.push_back(
                    static_cast<int>(kube::int_at(Json::parse(request.body), "/gracePeriodSeconds", -1)));
        }
        return found;
    }

    hermesctl::testing::CliWorld world_{};
    Clock::Duration controller_takes = 300ms;
    Clock::Duration grace = 30s;
    bool scaled_down = false;
    std::function<int()> turns = [] { return 0; };
    std::function<void()> on_pod_deleted = [] {};
};

TEST_F(RunState, StopReadsNothingButTheDeployment) {
    for (const char* resource : {"secrets", "configmaps", "namespaces", "networkpolicies", "leases",
                                 "persistentvolumeclaims", "serviceaccounts"}) {
        world_.api.deny("get", resource);
        world_.api.deny("list", resource);
    }
    world_.api.merge(config, {{"data", {{"config.yaml", "model: [broken"}}}});
    EXPECT_THAT(run({"stop"}), HasSubstr("stopped; its data stays"));
    EXPECT_EQ(kube::int_at(world_.api.object(deployment), "/spec/replicas", 1), 0);
    EXPECT_TRUE(world_.api.object(pod).is_null());
}

TEST_F(RunState, ACredentialInTheFileKeepsNobodyFromStopping) {
    const hermesctl::testing::Scratch scratch;
    const std::string file =
        scratch.write("hermes.yaml", "name: hermes\nconfig: {model: {api_key: hunter2hunter2}}\n");
    EXPECT_THAT(run({"stop", "-f", file}),
                AllOf(HasSubstr("stopped; its data stays"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(run({"stop", "-f", scratch.write("b.yaml", "nmae: bob\n")}, ExitCode::usage),
                HasSubstr("nmae"))
        << "which one is meant has to be sure";
}

TEST_F(RunState, StopOfWhatIsNotThereSaysSo) {
    EXPECT_THAT(run({"stop", "--name", "bob"}, ExitCode::failed),
                HasSubstr("there is no deployment/bob in namespace hermes"));
    EXPECT_THAT(run({"start", "--name", "bob"}, ExitCode::failed), HasSubstr("deployment/bob"));
    EXPECT_THAT(run({"restart", "--name", "bob"}, ExitCode::failed), HasSubstr("deployment/bob"));
}

TEST_F(RunState, StopThatCannotSeeThePodsSaysHowFarItCame) {
    world_.api.deny("list", "pods");
    world_.api.deny("get", "secrets");
    EXPECT_THAT(run({"stop"}, ExitCode::denied),
                AllOf(HasSubstr("deployment/hermes is at 0 replicas"), HasSubstr("list pods in namespace"),
                      Not(HasSubstr("secrets"))));
    EXPECT_EQ(kube::int_at(world_.api.object(deployment), "/spec/replicas", 1), 0);
}

TEST_F(RunState, TeardownIsToldOfTheRightsForWhatItRemoves) {
    for (const char* resource : {"configmaps", "persistentvolumeclaims", "namespaces"})
        world_.api.deny("delete", resource);
    world_.transport.after(5s, [this] { world_.api.erase(pod); });
    EXPECT_THAT(run({"teardown", "-y"}, ExitCode::denied),
                AllOf(HasSubstr("delete configmaps"), Not(HasSubstr("delete persistentvolumeclaims"))));
    EXPECT_THAT(run({"teardown", "--delete-data", "-y"}, ExitCode::denied),
                AllOf(HasSubstr("delete persistentvolumeclaims"), HasSubstr("delete namespaces")));
}

TEST_F(RunState, StopNowEndsThePodsOnceNoneTakesTheirPlace) {
    controller_takes = 3s;
    on_pod_deleted = [this] { EXPECT_TRUE(scaled_down) << "a replacement would appear"; };
    run({"stop", "--now"});
    EXPECT_THAT(graces(), ElementsAre(1)) << "0 would remove the object, not the container";
    EXPECT_LT(world_.clock.elapsed(), 10s);
}

TEST_F(RunState, StopNowEndsAReplacementToo) {
    bool replaced = false;
    on_pod_deleted = [&] {
        if (std::exchange(replaced, true)) return;
        Json next =
            object_of("Pod", "hermes", "hermes-1-b", {{"metadata", {{"labels", {{"app", "hermes"}}}}}});
        world_.api.put(std::move(next));
    };
    run({"stop", "--now"});
    EXPECT_THAT(graces(), ElementsAre(1, 1));
    EXPECT_TRUE(world_.api.object({"Pod", "hermes", "hermes-1-b"}).is_null());
}

TEST_F(RunState, StopDoesNotWaitForAControllerThatIsDown) {
    world_.api.on_write = {};
    world_.transport.after(15s, [this] { world_.api.erase(pod); });
    run({"stop"});
    EXPECT_LT(world_.clock.elapsed(), 30s);
}

TEST_F(RunState, StartWaitsUntilTheOldPodIsGone) {
    world_.api.merge(deployment, {{"spec", {{"replicas", 0}}}});
    world_.api.merge(pod, {{"metadata", {{"deletionTimestamp", "2026-01-01T00:00:00Z"}}}});
    world_.transport.after(20s, [this] { world_.api.erase(pod); });
    bool alone = false;
    world_.api.on_write = [&](const std::string&, const Json& object) {
        if (kube::ref_of(object) == deployment) alone = world_.api.object(pod).is_null();
    };
    run({"start", "--no-wait"});
    EXPECT_TRUE(alone);
    EXPECT_EQ(kube::int_at(world_.api.object(deployment), "/spec/replicas"), 1);
}

TEST_F(RunState, WaitBearsWithAModelThatItCannotTell) {
    for (const char* text : {"model: {provider: frobnicate}", "model: [broken"}) {
        world_.api.merge(config, {{"data", {{"config.yaml", text}}}});
        const std::string said = run({"wait"});
        EXPECT_THAT(said, HasSubstr("Telegram is connected, but whether the model answers was not checked"));
        EXPECT_THAT(said, Not(HasSubstr("the bot answers")));
        EXPECT_THAT(said, HasSubstr("its key is not checked: "));
    }
    world_.api.deny("get", "secrets");
    world_.api.deny("get", "configmaps");
    EXPECT_THAT(run({"wait"}), HasSubstr("its key is not checked: "));
}

TEST_F(RunState, WhatWasChangedIsToldToPrograms) {
    const auto changed = [this](const std::string& line) {
        EXPECT_EQ(world_.run({line, "--no-wait", "-o", "json"}), ExitCode::ok) << world_.err.str();
        return Json::parse(world_.out.str())["changed"];
    };
    EXPECT_EQ(changed("start"), false) << "it runs";
    EXPECT_EQ(changed("restart"), true);
    world_.api.merge(deployment, {{"spec", {{"replicas", 0}}}});
    world_.api.erase(pod);
    EXPECT_EQ(changed("start"), true);
    world_.transport.after(5s, [this] { world_.api.erase(pod); });
    EXPECT_EQ(world_.run({"teardown", "-y", "-o", "json"}), ExitCode::ok) << world_.err.str();
    EXPECT_EQ(Json::parse(world_.out.str())["changed"], true);
}

TEST_F(RunState, ADryRunTellsProgramsWhatIsDoneThen) {
    const auto said = [this](std::vector<std::string> line) {
        line.insert(line.end(), {"-o", "json"});
        EXPECT_EQ(world_.run(line), ExitCode::ok) << world_.err.str();
        return Json::parse(world_.out.str());
    };
    Json step{{"namespace", "hermes"}, {"name", "hermes"},
              {"action", "restart"},   {"replicas", {{"from", 1}, {"to", 1}}},
              {"changes", true},       {"changed", false}};
    EXPECT_EQ(said({"restart", "--dry-run"}), step);
    step["action"] = "stop";
    step["replicas"]["to"] = 0;
    EXPECT_EQ(said({"stop", "--dry-run"}), step);
    step["changed"] = step["stopped"] = true;
    EXPECT_EQ(said({"stop"}), step);
    EXPECT_EQ(said({"stop", "--dry-run"})["changes"], false);
    EXPECT_EQ(said({"start", "--dry-run"})["replicas"], Json({{"from", 0}, {"to", 1}}));
}

TEST_F(RunState, ADryRunSaysThatItMayNotBeDone) {
    world_.api.deny("patch", "deployments");
    for (const char* command : {"stop", "restart", "start"}) {
        EXPECT_THAT(run({command, "--dry-run"}, ExitCode::denied),
                    AllOf(HasSubstr("- patch deployments.apps in namespace hermes"), Not(HasSubstr("would"))))
            << command;
    }
}

TEST_F(RunState, ADryRunThatTheServerDoesNotAnswerForetellsNothing) {
    for (const auto& [answer, code] :
         {std::pair{hermesctl::testing::refusal(503, "ServiceUnavailable", "etcd is away"), ExitCode::failed},
          {hermesctl::testing::no_answer("reset", true), ExitCode::unreachable}}) {
        for (const char* command : {"stop", "restart", "start"}) {
            world_.api.fail("PATCH", "Deployment", 1, answer);
            EXPECT_THAT(run({command, "--dry-run"}, code), Not(HasSubstr("would"))) << command;
        }
    }
}

TEST_F(RunState, WhatIsDoneIsToldToProgramsThoughTheWaitFails) {
    grace = 1h;
    EXPECT_EQ(world_.run({"stop", "--timeout", "5s", "-o", "json"}), ExitCode::timeout) << world_.err.str();
    const Json said = Json::parse(world_.out.str());
    EXPECT_EQ(said["changed"], true);
    EXPECT_EQ(said["error"]["code"], 5);
}

TEST_F(RunState, WhereTheAnswerToAWriteWasLostJsonSaysThatNobodyKnows) {
    const auto changed = [this](const char* command, ExitCode expected) {
        EXPECT_EQ(world_.run({command, "-o", "json"}), expected) << command << world_.err.str();
        return Json::parse(world_.out.str()).at("changed");
    };
    world_.api.fail_always("PATCH", "Deployment", hermesctl::testing::no_answer("reset", true));
    for (const char* command : {"stop", "start", "restart"})
        EXPECT_EQ(changed(command, ExitCode::unreachable), Json()) << command;
    world_.api.deny("get", "deployments");
    EXPECT_EQ(changed("stop", ExitCode::denied), false) << "a refusal is an answer";
}

TEST_F(RunState, AWriteThatNoServerSawIsNone) {
    world_.api.fail_always("PATCH", "Deployment", hermesctl::testing::no_answer("refused", false));
    EXPECT_EQ(world_.run({"restart", "-o", "json"}), ExitCode::unreachable) << world_.err.str();
    EXPECT_EQ(Json::parse(world_.out.str()).at("changed"), false) << "the lease alone was written";
}

TEST_F(RunState, ALeaseOfWhichNobodyKnowsIsNoChange) {
    world_.api.fail("POST", "Lease", 1, hermesctl::testing::no_answer("reset", true));
    EXPECT_EQ(world_.run({"restart", "-o", "json"}), ExitCode::unreachable) << world_.err.str();
    EXPECT_EQ(Json::parse(world_.out.str()).at("changed"), false);
}

/// Of etcd, or of a proxy: it may have been done.
TEST_F(RunState, AnAnswerThatTheServerFailedLeavesItOpen) {
    world_.api.fail("PATCH", "Deployment", 1,
                    hermesctl::testing::refusal(500, "InternalError", "etcd: timed out"));
    EXPECT_EQ(world_.run({"stop", "-o", "json"}), ExitCode::failed) << world_.err.str();
    EXPECT_TRUE(Json::parse(world_.out.str()).at("changed").is_null());
}

TEST_F(RunState, WhereNoWriteWasSentJsonSaysThatNothingWasChanged) {
    world_.api.down = true;
    for (const std::vector<std::string>& line : {std::vector<std::string>{"stop"},
                                                 {"start"},
                                                 {"restart"},
                                                 {"teardown", "-y"},
                                                 {"rotate-secret", "--list"},
                                                 {"cp", "a", ":b"}}) {
        std::vector<std::string> asked{"-o", "json"};
        asked.insert(asked.end(), line.begin(), line.end());
        EXPECT_NE(world_.run(asked), ExitCode::ok) << line.front();
        EXPECT_EQ(Json::parse(world_.out.str())["changed"], false) << line.front();
    }
}

TEST_F(RunState, JsonOfATeardownThatFailsSaysWhetherAnythingWasRemoved) {
    world_.api.deny("delete", "configmaps");
    world_.transport.after(5s, [this] { world_.api.erase(pod); });
    const auto changed = [this] {
        EXPECT_EQ(world_.run({"teardown", "-y", "-o", "json"}), ExitCode::denied) << world_.err.str();
        return Json::parse(world_.out.str())["changed"];
    };
    EXPECT_EQ(changed(), true) << "the agent is gone";
    EXPECT_EQ(changed(), false) << "what is left is refused";
}

TEST_F(RunState, QuietShowsWhatIsRemovedThoughNobodyIsAsked) {
    EXPECT_THAT(run({"teardown", "-q"}, ExitCode::usage),
                AllOf(HasSubstr("- remove  deployment/hermes"), HasSubstr("a yes is needed")));
    world_.transport.after(5s, [this] { world_.api.erase(pod); });
    EXPECT_THAT(run({"teardown", "-q", "-y"}),
                AllOf(HasSubstr("- remove  deployment/hermes"), HasSubstr("removed\n")));
}

/// Who may read nothing else is told of nothing else.
TEST_F(RunState, AReadingCommandIsToldOnlyTheRightsThatItUses) {
    for (const char* resource : {"secrets", "configmaps", "pods", "pods/log", "networkpolicies", "events"}) {
        for (const char* verb : {"get", "list", "watch"})
            world_.api.deny(verb, resource);
    }
    EXPECT_THAT(run({"logs"}, ExitCode::denied),
                AllOf(HasSubstr("- list pods"), Not(HasSubstr("- get secrets")), Not(HasSubstr("watch"))));
    EXPECT_THAT(run({"logs", "--source", "console"}, ExitCode::denied), HasSubstr("- get pods/log"));
    for (const char* command : {"rotate-secret", "allow-user"}) {
        EXPECT_THAT(run({command, "--list"}, ExitCode::denied),
                    AllOf(HasSubstr("- get secrets"), Not(HasSubstr("configmaps")), Not(HasSubstr("watch")),
                          Not(HasSubstr("patch"))));
    }
    EXPECT_THAT(run({"allow-user", "--pending"}, ExitCode::denied),
                AllOf(HasSubstr("- get secrets"), HasSubstr("- list pods"), Not(HasSubstr("configmaps")),
                      Not(HasSubstr("watch"))));
    EXPECT_THAT(run({"wait"}, ExitCode::denied), AllOf(HasSubstr("- watch pods"), Not(HasSubstr("secrets"))));
    EXPECT_THAT(run({"status"}, ExitCode::denied),
                AllOf(HasSubstr("- get configmaps"), Not(HasSubstr("watch"))));
    world_.api.deny("create", "jobs");
    EXPECT_THAT(run({"verify"}, ExitCode::denied),
                AllOf(HasSubstr("- get configmaps"), HasSubstr("- create jobs"), Not(HasSubstr("events"))));
    EXPECT_THAT(run({"verify", "--static"}, ExitCode::denied),
                AllOf(HasSubstr("- list pods"), Not(HasSubstr("jobs")), Not(HasSubstr("events"))));
}

TEST_F(RunState, RestartRefusesAStoppedAgent) {
    world_.api.merge(deployment, {{"spec", {{"replicas", 0}}}});
    EXPECT_THAT(run({"restart"}, ExitCode::failed), HasSubstr("hermesctl start"));
    EXPECT_THAT(world_.api.log, Not(Contains(HasSubstr("PATCH"))));
    run({"restart", "-o", "json"}, ExitCode::failed);
    EXPECT_EQ(Json::parse(world_.out.str())["changed"], false);
}

TEST_F(RunState, NoPodIsTakenWhereANewOneCannotStartForWantOfItsSecret) {
    world_.api.erase({"Secret", "hermes", "hermes-secrets"});
    for (const char* command : {"restart", "start"})
        EXPECT_THAT(run({command}, ExitCode::failed),
                    AllOf(HasSubstr("secret/hermes-secrets is not there, and no pod starts without it"),
                          HasSubstr("hermesctl deploy makes it anew")));
    EXPECT_THAT(world_.api.log, Not(Contains(HasSubstr("PATCH"))));
    run({"stop"});
}

TEST_F(RunState, AWaitTellsOfAPolicyThatIsNotThere) {
    const auto told = HasSubstr("networkpolicy/hermes-egress is not there: the gate waits for it");
    EXPECT_THAT(run({"wait", "--no-check"}), Not(told));
    world_.api.erase({"NetworkPolicy", "hermes", "hermes-egress"});
    EXPECT_THAT(run({"wait", "--no-check"}), AllOf(told, HasSubstr("hermesctl deploy puts it back")));
    EXPECT_THAT(run({"restart", "--no-wait"}), told);
    world_.api.deny("get", "networkpolicies");
    EXPECT_THAT(run({"wait", "--no-check"}), Not(told)) << "who may not look does not know";
}

TEST_F(RunState, RestartLetsABusyAgentFinishItsTurn) {
    turns = [this] { return world_.clock.elapsed() < 20s ? 2 : 0; };
    Clock::Duration restarted{0};
    world_.api.on_write = [&](const std::string&, const Json& object) {
        if (kube::ref_of(object) == deployment) restarted = world_.clock.elapsed();
    };
    const std::string said = run({"restart", "--no-wait"});
    EXPECT_THAT(said, HasSubstr("busy with 2 turn(s)"));
    EXPECT_THAT(said, Not(HasSubstr("cut off")));
    EXPECT_GE(restarted, 20s);
    EXPECT_LT(restarted, 25s);
}

TEST_F(RunState, RestartCutsOffATurnThatOutlastsDrain) {
    turns = [] { return 1; };
    Clock::Duration restarted{0};
    world_.api.on_write = [&](const std::string&, const Json& object) {
        if (kube::ref_of(object) == deployment) restarted = world_.clock.elapsed();
    };
    EXPECT_THAT(run({"restart", "--no-wait", "--drain", "90s"}),
                HasSubstr("still busy; its turn is cut off"));
    EXPECT_GE(restarted, 90s);
    EXPECT_LT(restarted, 95s);
}

/// It was busy when it was last heard.
TEST_F(RunState, RestartTakesNoSilenceForIdle) {
    turns = [] { return 1; };
    const auto serve = world_.transport.open;
    world_.transport.open = [&](const net::Request& request, std::span<const std::string> protocols) {
        const bool silent = world_.clock.elapsed() > 5s && world_.clock.elapsed() < 20s;
        if (silent)
            return net::Upgrade{nullptr, hermesctl::testing::refusal(500, "InternalError", "no kubelet")};
        if (world_.clock.elapsed() >= 20s) turns = [] { return 0; };
        return serve(request, protocols);
    };
    Clock::Duration restarted{0};
    world_.api.on_write = [&](const std::string&, const Json& object) {
        if (kube::ref_of(object) == deployment) restarted = world_.clock.elapsed();
    };
    EXPECT_THAT(run({"restart", "--no-wait"}),
                AllOf(HasSubstr("it cannot be asked: no kubelet"), HasSubstr("idle")));
    EXPECT_GE(restarted, 20s);
}

TEST_F(RunState, RestartTakesOneRefusalOfAServerThatHasJustStartedForNoAnswer) {
    turns = [this] { return world_.clock.elapsed() < 20s ? 1 : 0; };
    const auto serve = world_.transport.open;
    world_.transport.open = [&](const net::Request& request, std::span<const std::string> protocols) {
        const bool starting = world_.clock.elapsed() > 5s && world_.clock.elapsed() < 7s;
        if (starting)
            return net::Upgrade{nullptr, hermesctl::testing::refusal(403, "Forbidden", "User \"me\" cannot")};
        return serve(request, protocols);
    };
    EXPECT_THAT(run({"restart", "--no-wait"}), HasSubstr("idle"));
    EXPECT_GE(world_.clock.elapsed(), 20s);
}

TEST_F(RunState, RestartSaysThatItDoesNotKnowWhetherTheAgentIsBusy) {
    world_.transport.open = [](const net::Request&, std::span<const std::string>) {
        return net::Upgrade{nullptr, hermesctl::testing::refusal(500, "InternalError", "no kubelet")};
    };
    EXPECT_THAT(run({"restart", "--no-wait", "--drain", "20s"}),
                AllOf(HasSubstr("whether it is busy is not known: no kubelet"), Not(HasSubstr("idle"))));
    EXPECT_GE(world_.clock.elapsed(), 20s);
}

TEST_F(RunState, RestartDoesNotWaitForAnAgentThatItMayNotAsk) {
    world_.api.deny("get", "pods/exec");
    EXPECT_THAT(run({"restart", "--no-wait"}), HasSubstr("whether it is busy is not known: "));
    EXPECT_LT(world_.clock.elapsed(), 5s);
}

TEST_F(RunState, HintsMeanTheInstanceOfThisRun) {
    hermesctl::testing::put_installation(world_.api, "bots", "bob");
    EXPECT_THAT(run({"teardown", "-n", "bots", "--name", "bob", "--dry-run"}), HasSubstr("deployment/bob"));
    EXPECT_THAT(run({"status", "-n", "bots", "--name", "bob", "--no-check", "-o", "json"}),
                HasSubstr("hermesctl status -n bots --name bob does"));
    world_.transport.after(5s, [this] { world_.api.erase({"Pod", "bots", "bob-1-a"}); });
    EXPECT_THAT(run({"teardown", "-n", "bots", "--name", "bob", "-y"}),
                HasSubstr("hermesctl teardown -n bots --name bob --delete-data"));
    EXPECT_THAT(run({"stop", "-n", "bots", "--name", "bob"}, ExitCode::failed),
                HasSubstr("hermesctl deploy -n bots --name bob makes one"));
}

TEST_F(RunState, ASecondTeardownSaysThatTheDataIsThereYet) {
    world_.transport.after(5s, [this] { world_.api.erase(pod); });
    run({"teardown", "-y"});
    EXPECT_THAT(run({"teardown", "-y"}),
                AllOf(HasSubstr("there is nothing to remove"), HasSubstr("the agent's data"),
                      HasSubstr("hermesctl teardown --delete-data")));
    EXPECT_THAT(run({"teardown", "-y", "-n", "elsewhere"}),
                AllOf(HasSubstr("there is nothing to remove"), Not(HasSubstr("kept"))));
}

TEST_F(RunState, CtrlCAtTheQuestionOfATeardownChangesNothing) {
    world_.terminal.input = true;
    const auto teardown = [this] {
        catch_interrupts();
        const ExitCode code = world_.run({"teardown"});
        std::cout << world_.err.str() << std::flush;
        return static_cast<int>(code);
    };
    const auto seen = hermesctl::testing::at_a_terminal(teardown, {{"remove this? [y/N]", "\x03"}});
    EXPECT_EQ(seen.code, 130) << seen.screen;
    EXPECT_THAT(seen.screen, HasSubstr("interrupted; nothing was changed"));
}

TEST_F(RunState, TeardownPromisesNoMemoryWhereThereIsNoData) {
    world_.api.erase({"PersistentVolumeClaim", "hermes", "hermes-data"});
    world_.transport.after(5s, [this] { world_.api.erase(pod); });
    const std::string said = run({"teardown", "-y"});
    EXPECT_THAT(said,
                HasSubstr("kept: namespace/hermes: it goes only with hermesctl teardown --delete-data"));
    EXPECT_THAT(said, Not(HasSubstr("memory")));
    EXPECT_THAT(said, Not(HasSubstr("the data")));
}

}  // namespace
}  // namespace hermesctl::cli
