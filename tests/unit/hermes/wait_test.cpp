// The wait against a server in memory: what ends it, and with which cause.
#include "hermesctl/hermes/wait.hpp"

#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using namespace std::chrono_literals;
using testing::FakeProcess;
using ::testing::HasSubstr;

const char* const answering = R"({"alive":true,"gateway":"running","telegram":"connected","ready":true})"
                              "\n";

class Wait : public ::testing::Test {
  protected:
    void SetUp() override {
        api_.put(
            R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"hermes","namespace":"hermes",
            "uid":"d","generation":1,"annotations":{"deployment.kubernetes.io/revision":"1"}},
            "spec":{"replicas":1},"status":{"observedGeneration":1,"updatedReplicas":1}})"_json);
        api_.put(
            R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"hermes-1","namespace":"hermes",
            "uid":"r","labels":{"app":"hermes"},"annotations":{"deployment.kubernetes.io/revision":"1"},
            "ownerReferences":[{"uid":"d"}]}})"_json);
        api_.put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"hermes-1-a","namespace":"hermes",
            "uid":"p","labels":{"app":"hermes"},"ownerReferences":[{"uid":"r"}]},
            "spec":{"nodeName":"hz"},"status":{"phase":"Running","containerStatuses":[
            {"name":"hermes","started":true,"state":{"running":{}}}]}})"_json);
    }

    std::string wait() { return wait_until_answers(client_, names_, options_, story_); }
    /// The error that ends the wait.
    Error failure() {
        try {
            ADD_FAILURE() << "it answers: " << wait();
        } catch (const Error& error) {
            return error;
        }
        return {ExitCode::ok, ""};
    }

    /// The pod's own Ready, which counts only where nobody may ask the agent.
    void ready() {
        api_.merge({"Pod", "hermes", "hermes-1-a"},
                   R"({"status":{"conditions":[{"type":"Ready","status":"True"}]}})"_json);
    }
    bool ready_decided() const {
        return std::ranges::any_of(story_.events, [](const Event& event) {
            return event.detail.find("the pod's own Ready decides") != std::string::npos;
        });
    }

    testing::FakeClock clock_{};
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter story_{};
    kube::Client client_{transport_, clock_, story_};
    Names names_{.ns = "hermes", .name = "hermes"};
    WaitOptions options_{};
};

TEST_F(Wait, EndsWithThePodThatAnswers) {
    api_.on_exec = [](FakeProcess& process) { process.out(answering); };
    EXPECT_EQ(wait(), "hermes-1-a");
    EXPECT_LT(clock_.elapsed(), 2s);
}

TEST_F(Wait, AnImageWithoutPythonIsNamedAfterAMinute) {
    api_.on_exec = [](FakeProcess& process) {
        process.err("exec: \"/usr/bin/python3\": no such file or directory");
        process.exit(127);
    };
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::failed);
    EXPECT_THAT(error.message(), HasSubstr("cannot be asked"));
    EXPECT_THAT(error.message(), HasSubstr("\"/usr/bin/python3\": no such file or directory"));
    EXPECT_THAT(error.hint(), HasSubstr("kubectl -n hermes exec hermes-1-a -c hermes -- /usr/bin/python3"));
    EXPECT_GE(clock_.elapsed(), 60s);
    EXPECT_LT(clock_.elapsed(), 70s);
}

TEST_F(Wait, AKubeletThatIsNotReachedIsNamedAfterAMinute) {
    transport_.open = [](const net::Request&, std::span<const std::string>) {
        return net::Upgrade{nullptr,
                            testing::refusal(500, "InternalError", "error dialing backend: no route")};
    };
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::failed);
    EXPECT_THAT(error.message(), HasSubstr("error dialing backend: no route"));
    EXPECT_LT(clock_.elapsed(), 70s);
}

TEST_F(Wait, ASessionThatBreaksIsOpenedAgain) {
    int sessions = 0;
    api_.on_exec = [&](FakeProcess& process) {
        if (++sessions < 3) return process.lose("connection reset");
        process.out(answering);
    };
    EXPECT_EQ(wait(), "hermes-1-a");
    EXPECT_LT(clock_.elapsed(), 10s);
}

TEST_F(Wait, ARefusalOfAServerThatHasJustStartedIsAskedAgain) {
    ready();
    const auto serve = transport_.open;
    int asked = 0;
    transport_.open = [&](const net::Request& request, std::span<const std::string> protocols) {
        if (++asked == 1) return net::Upgrade{nullptr, testing::refusal(401, "Unauthorized", "no")};
        if (asked == 3 || asked == 4) return net::Upgrade{nullptr, testing::refusal(403, "Forbidden", "no")};
        return serve(request, protocols);
    };
    api_.on_exec = [&](FakeProcess& process) {
        if (asked > 2) return process.out(answering);
        process.out("{\"alive\":true,\"gateway\":\"starting\"}\n");
        process.lose("connection reset");
    };
    EXPECT_EQ(wait(), "hermes-1-a");
    EXPECT_EQ(asked, 5);
    EXPECT_FALSE(ready_decided());
}

TEST_F(Wait, ARefusalThatStaysLeavesItToReady) {
    ready();
    api_.on_exec = [&](FakeProcess& process) {
        process.lose("connection reset");
        api_.deny("get", "pods/exec");
    };
    EXPECT_EQ(wait(), "hermes-1-a");
    EXPECT_TRUE(ready_decided());
    EXPECT_GE(clock_.elapsed(), 30s);
    EXPECT_LT(clock_.elapsed(), 35s);
}

TEST_F(Wait, ARefusalFromTheStartIsTheAccounts) {
    ready();
    api_.deny("get", "pods/exec");
    EXPECT_EQ(wait(), "hermes-1-a");
    EXPECT_TRUE(ready_decided());
    EXPECT_LT(clock_.elapsed(), 2s);
}

TEST_F(Wait, AGatewayThatStartsOverAndOverEndsItAtTheThirdRestart) {
    int session = 0;
    api_.on_exec = [&](FakeProcess& process) {  // each start is told twice
        process.out(
            fmt::format("{{\"alive\":true,\"pid\":{0},\"start_time\":{0},\"gateway\":\"starting\"}}\n",
                        100 + session++ / 2));
        if (session < 7) process.lose("connection reset");
    };
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::failed);
    EXPECT_THAT(error.message(), HasSubstr("its gateway does not stay up: it has started 4 times"));
    EXPECT_EQ(session, 7);
    EXPECT_LT(clock_.elapsed(), 10s);
}

TEST_F(Wait, AGatewayThatStaysIsNotCountedTwice) {
    int session = 0;
    api_.on_exec = [&](FakeProcess& process) {
        if (++session == 8) return process.out(answering);
        process.out(fmt::format("{{\"alive\":true,\"start_time\":{},\"gateway\":\"starting\"}}\n",
                                session % 2 == 0 ? 200 : 100));  // two live side by side
        process.lose("connection reset");
    };
    EXPECT_EQ(wait(), "hermes-1-a");
}

TEST_F(Wait, WhenTheTimeIsUpItSaysWhatItWaitedForFirst) {
    api_.merge({"Pod", "hermes", "hermes-1-a"},
               R"({"status":{"containerStatuses":[{"name":"hermes","started":false}]}})"_json);
    api_.on_exec = [](FakeProcess& process) { process.out("{\"alive\":false}\n"); };
    options_.timeout = 2min;
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::timeout);
    EXPECT_THAT(error.message(), HasSubstr("gateway: no process yet"));
}

TEST_F(Wait, AGatewayThatNeverAppearsIsOneThatDoesNotStart) {
    const auto kind = [this](const char* status) {
        api_.merge({"Pod", "hermes", "hermes-1-a"},
                   {{"status", {{"containerStatuses", Json::parse(status)}}}});
        try {
            ADD_FAILURE() << "it answers: " << wait();
        } catch (const NotAnswering& error) {
            return error.trouble().kind;
        }
        return std::string("none");
    };
    api_.on_exec = [](FakeProcess& process) { process.out("{\"alive\":false}\n"); };
    options_.timeout = 30s;
    EXPECT_EQ(kind(R"([{"name":"hermes","started":false,"state":{"running":null}}])"), "")
        << "it does not run";
    EXPECT_EQ(kind(R"([{"name":"hermes","started":false,"state":{"running":{}}}])"), "startup");
}

TEST_F(Wait, WhenTheTimeIsUpAndNoServerIsReachedThatIsWhatItSays) {
    api_.down = true;
    options_.timeout = 5s;
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::unreachable);
    EXPECT_THAT(error.message(), HasSubstr("the API server is gone: "));
    EXPECT_LT(clock_.elapsed(), 10s);
}

TEST_F(Wait, AServerThatNeverAnswersIsNotTheBotsFault) {
    transport_.serve = [](net::Transport::Ticket, const net::Request&) {};
    options_.timeout = 5s;
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::unreachable);
    EXPECT_EQ(error.message(), "the API server has not answered");
}

TEST_F(Wait, WhatOnlyExplainsIsNotWaitedFor) {
    api_.fail_always("GET", "Event", testing::refusal(429, "TooManyRequests", "too many requests"));
    api_.fail_always("GET", "PersistentVolumeClaim", testing::refusal(503, "ServiceUnavailable", "busy"));
    api_.on_exec = [](FakeProcess& process) { process.out(answering); };
    EXPECT_EQ(wait(), "hermes-1-a");
    EXPECT_LT(clock_.elapsed(), 2s);
    api_.on_exec = [](FakeProcess& process) { process.out("{\"alive\":false}\n"); };
    options_.timeout = 5s;
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::timeout);
    EXPECT_THAT(error.message(), HasSubstr("no gateway process lives in the container"));
}

TEST_F(Wait, WhatItCannotDoWithoutIsNamedWhereItDoesNotCome) {
    api_.fail_always("GET", "Deployment", testing::refusal(503, "ServiceUnavailable", "busy"));
    options_.timeout = 5s;
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::unreachable);
    EXPECT_THAT(error.message(), HasSubstr("the API server is gone: busy"));
}

TEST_F(Wait, OneThatIsGoneForMostOfTheTimeIsNamedWhenTheTimeIsUp) {
    api_.on_exec = [](FakeProcess& process) { process.out("{\"alive\":false}\n"); };
    options_.timeout = 30s;
    transport_.after(5s, [this] {
        api_.down = true;
        api_.break_watches("reset");
    });
    EXPECT_EQ(failure().code(), ExitCode::unreachable);
}

TEST_F(Wait, AHiccupOfTheServerAtTheEndDoesNotHideTheCause) {
    api_.on_exec = [](FakeProcess& process) { process.out("{\"alive\":false}\n"); };
    options_.timeout = 30s;
    transport_.after(29s, [this] {
        api_.down = true;
        api_.break_watches("reset");
    });
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::timeout);
    EXPECT_THAT(error.message(), HasSubstr("no gateway process lives in the container"));
}

TEST_F(Wait, WhatAPullTakesDoesNotCountForTheTimeout) {
    const kube::Ref pod{"Pod", "hermes", "hermes-1-a"};
    const kube::Json running = api_.object(pod).at("status");
    api_.merge(pod, R"({"status":{"containerStatuses":[{"name":"hermes","started":false,
               "state":{"running":null,"waiting":{"reason":"ContainerCreating"}}}]}})"_json);
    const auto say = [this](const char* reason, const char* message) {
        api_.put({{"apiVersion", "v1"},
                  {"kind", "Event"},
                  {"metadata", {{"name", reason}, {"namespace", "hermes"}}},
                  {"involvedObject", {{"uid", "p"}}},
                  {"reason", reason},
                  {"message", message}});
    };
    say("Pulling", "Pulling image \"i\"");
    transport_.after(3min, [&] {
        say("Pulled", "Successfully pulled image \"i\" in 3m");
        api_.merge(pod, {{"status", running}});
        api_.merge(pod,
                   R"({"status":{"containerStatuses":[{"name":"hermes","state":{"waiting":null}}]}})"_json);
    });
    api_.on_exec = [](FakeProcess& process) { process.out(answering); };
    options_.timeout = 30s;
    EXPECT_EQ(wait(), "hermes-1-a");
    EXPECT_GE(clock_.elapsed(), 3min);
}

TEST_F(Wait, APullHasALimitOfItsOwn) {
    api_.merge({"Pod", "hermes", "hermes-1-a"}, R"({"status":{"containerStatuses":[{"name":"hermes",
               "started":false,"state":{"running":null,"waiting":{"reason":"ContainerCreating"}}}]}})"_json);
    api_.put(R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"e","namespace":"hermes"},
             "involvedObject":{"uid":"p"},"reason":"Pulling","message":"Pulling image \"i\""})"_json);
    options_.timeout = 30s;
    options_.pull_limit = 1min;
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::timeout);
    EXPECT_THAT(error.message(), HasSubstr("its image is being pulled"));
    EXPECT_GE(clock_.elapsed(), 1min);
    EXPECT_LT(clock_.elapsed(), 70s);
}

TEST_F(Wait, WhenTheTimeIsUpATroubleIsNamedWithItsHint) {
    api_.on_exec = [](FakeProcess& process) {
        process.out("{\"alive\":true,\"gateway\":\"starting\",\"free\":0}\n");
    };
    options_.timeout = 30s;
    const Error error = failure();
    EXPECT_EQ(error.code(), ExitCode::timeout);
    EXPECT_THAT(error.message(), HasSubstr("pod/hermes-1-a: its volume is full: 0 bytes are free"));
    EXPECT_THAT(error.hint(), HasSubstr("hermesctl exec -- du"));
}

TEST_F(Wait, AGlanceSaysWhyItCouldNotAsk) {
    api_.on_exec = [](FakeProcess& process) { process.lose("connection reset"); };
    const Glance now = glance(client_, names_);
    EXPECT_FALSE(now.assessment.answering);
    ASSERT_TRUE(now.assessment.trouble);
    EXPECT_THAT(now.assessment.trouble->cause, HasSubstr("connection reset"));
}

TEST_F(Wait, AGlanceWithBadCredentialsIsNotDeniedExec) {
    transport_.open = [](const net::Request&, std::span<const std::string>) {
        return net::Upgrade{nullptr, testing::refusal(401, "Unauthorized", "no")};
    };
    const Glance now = glance(client_, names_);
    EXPECT_FALSE(now.snapshot.exec_denied);
    EXPECT_THAT(now.snapshot.exec_failure, HasSubstr("refused the credentials"));
}

}  // namespace
}  // namespace hermesctl::hermes
