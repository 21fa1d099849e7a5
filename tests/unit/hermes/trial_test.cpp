// Trying new values: in the agent's pod, in a one-shot pod where that cannot be had, and what the answers
// mean.
#include "hermesctl/hermes/trial.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "support/fake_api.hpp"
#include "support/fake_clock.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const Names names{.ns = "hermes", .name = "hermes"};
const std::string token = "TELEGRAM_BOT_TOKEN";
const std::string value = "123456789:AAnew-value-that-goes-over-stdin-alone";

Trial judged(Json said, const std::string& key = "MINIMAX_API_KEY") {
    said["key"] = key;
    if (!said.contains("by")) said["by"] = key == token ? "Telegram" : "minimax";
    return parse_trials(Json{{"trials", {said}}}.dump(), {{key, "x"}}).value().at(0);
}

TEST(Route, IsWhatDecidesWhomAValueGoesTo) {
    for (const char* variable : {"https_proxy", "TELEGRAM_PROXY", "SSL_CERT_FILE", "COLONY_URL"})
        EXPECT_TRUE(is_route(variable)) << variable;
    for (const char* variable : {"COLONY_PAT", "URL_OF_COLONY", "PATH"})
        EXPECT_FALSE(is_route(variable)) << variable;
}

TEST(JudgeTrial, OnlySuccessIsAYes) {
    EXPECT_EQ(judged({{"status", 200}}).answer, Answer::accepted);
    for (const int status : {401, 402, 403})
        EXPECT_EQ(judged({{"status", status}}).answer, Answer::refused) << status;
    for (const int status : {0, 302, 400, 404, 405, 408, 422, 429, 500, 529})
        EXPECT_EQ(judged({{"status", status}}).answer, Answer::no_answer) << status;
    EXPECT_EQ(judged({{"status", -1}}).answer, Answer::not_tried);
    for (const int status : {401, 403, 404})
        EXPECT_EQ(judged({{"status", status}}, token).answer, Answer::refused) << status;
}

TEST(JudgeTrial, RefusalsSayWhoWhyAndWhatToDo) {
    EXPECT_EQ(judged({{"status", 401}, {"reason", "bad key"}}).reason, "bad key (401)");
    EXPECT_THAT(judged({{"status", 402}}).reason, HasSubstr("no balance"));
    EXPECT_THAT(judged({{"status", 401}}, token).hint, HasSubstr("@BotFather"));
    EXPECT_THAT(judged({{"status", 0}, {"reason", "timed out"}}).reason, HasSubstr("timed out"));
    EXPECT_EQ(judged({{"status", 401}, {"belongs_to", "minimax-cn"}}).reason, "it is a key of minimax-cn");
}

TEST(JudgeTrial, ReasonsPassTheOneFunctionThatScrubs) {
    remember_secret("a-value-that-was-read-somewhere");
    const std::string foreign =
        "The token `999:BAD` of a-value-that-was-read-somewhere, Bearer 0123456789ab "
        "sk-0123456789abcdefghij\x1b[2J";
    for (const Json& said :
         {Json{{"status", 401}, {"reason", foreign}}, Json{{"status", 500}, {"reason", foreign}},
          Json{{"status", -1}, {"reason", foreign}}}) {
        for (const std::string& key : {token, std::string("MINIMAX_API_KEY")}) {
            EXPECT_THAT(judged(said, key).reason,
                        AllOf(Not(HasSubstr("999:BAD")), Not(HasSubstr("was-read")),
                              Not(HasSubstr("0123456789")), Not(HasSubstr("\x1b"))));
        }
    }
    EXPECT_THAT(judged({{"status", 401}, {"by", "the MCP server sk-0123456789abcdefghij"}}).reason,
                Not(HasSubstr("0123456789")));
}

TEST(JudgeTrial, AnAnswerThatIsNotTheScriptsIsNone) {
    EXPECT_FALSE(parse_trials("", {{"A", "x"}}));
    EXPECT_FALSE(parse_trials("{}", {{"A", "x"}}));
    EXPECT_FALSE(parse_trials(R"({"trials":[]})", {{"A", "x"}}));
    EXPECT_FALSE(parse_trials(R"({"trials":[{"key":"B","status":200}]})", {{"A", "x"}}));
}

class TryValues : public ::testing::Test {
  protected:
    TryValues() {
        testing::put_installation(api_);
        api_.on_exec = [this](testing::FakeProcess& process) { answer(process); };
        api_.on_write = [this](const std::string& type, const Json& object) {
            if (text_at(object, "/kind") == "Job" && type == "ADDED") start(object);
        };
        api_.merge(
            names.deployment(),
            {{"spec",
              {{"template",
                {{"spec",
                  {{"nodeSelector", {{"disk", "ssd"}}},
                   {"initContainers",
                    {{{"name", gate_name}, {"image", "old"}, {"command", {"gate"}}}, {{"name", "seed"}}}},
                   {"volumes", {{{"name", "data"}}}}}}}}}}});
        api_.merge(names.secret(), {{"data",
                                     {{token, base64_encode("123456789:AAold-value-0123456789-0123456789")},
                                      {"MINIMAX_BASE_URL", base64_encode("http://moved")}}}});
    }
    void stop() { api_.erase({"Pod", "hermes", "hermes-1-a"}); }

    /// The Job's controller and the kubelet.
    void start(const Json& job) {
        job_ = job;
        const std::string name = text_at(job, "/metadata/name");
        Json status{{"phase", "Pending"}};
        if (starts) {
            const Json running{{"running", Json::object()}};
            status = {{"phase", "Running"}, {"containerStatuses", {{{"name", "trial"}, {"state", running}}}}};
        }
        if (!gate_says.is_null())
            status = {
                {"phase", "Failed"},
                {"initContainerStatuses", {{{"name", gate_name}, {"state", {{"terminated", gate_says}}}}}}};
        Json pod = testing::object_of("Pod", "hermes", name + "-x", {{"status", status}});
        pod["spec"]["nodeName"] = "node";
        pod["metadata"]["labels"] = {{"job-name", name}};
        api_.put(pod);
    }
    void answer(testing::FakeProcess& process) {
        if (process.input.find('\n') == std::string::npos) return;
        asked_from_.push_back(process.container);
        argv_ = process.argv;
        asked_ = Json::parse(process.input);
        if (process.container == breaks) return process.lose("container not running");
        Json trials = Json::array();
        for (const auto& [key, one] : asked_["values"].items())
            trials.push_back({{"key", key}, {"by", "Telegram"}, {"status", 200}, {"username", "cage_bot"}});
        process.out(Json{{"trials", trials}}.dump() + "\n");
        process.exit(0);
    }
    Trials tried() { return try_values(client_, names, {{token, value}}, reporter_); }
    bool has_jobs() const {
        return std::ranges::any_of(api_.objects(), [](const auto& one) { return one.first.kind == "Job"; });
    }
    /// Nowhere in what was sent but on the standard input of exec.
    void expect_hidden() const {
        for (const net::Request& request : transport_.requests) {
            for (const std::string& form : {value, base64_encode(value)})
                EXPECT_THAT(request.target + request.body, Not(HasSubstr(form)));
        }
        EXPECT_THAT(argv_, Not(Contains(HasSubstr(value))));
    }

    testing::FakeClock clock_{};
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
    Json job_{};
    Json asked_{};
    Json gate_says{};
    std::vector<std::string> argv_{};
    std::vector<std::string> asked_from_{};
    std::string breaks{};
    bool starts = true;
};

TEST_F(TryValues, AsksInTheAgentsPodOverStdinAlone) {
    const Trials trials = tried();
    EXPECT_EQ(trials.from, "pod/hermes-1-a");
    ASSERT_EQ(trials.each.size(), 1u);
    EXPECT_EQ(trials.each[0].answer, Answer::accepted);
    EXPECT_FALSE(any_refused(trials));
    EXPECT_EQ(asked_["values"][token], value);
    EXPECT_EQ(asked_["polled"], true);
    EXPECT_EQ(job_, Json());
    EXPECT_EQ(argv_.at(0), "/usr/bin/python3");
    EXPECT_EQ(argv_.at(1), "-I");
    expect_hidden();
}

TEST_F(TryValues, WhereNoAgentRunsAOneShotPodInTheSameCageIsAsked) {
    stop();
    const Trials trials = tried();
    EXPECT_EQ(trials.from, "a one-shot pod");
    EXPECT_EQ(trials.each.at(0).answer, Answer::accepted);
    EXPECT_EQ(asked_["polled"], false);
    EXPECT_EQ(asked_["present"], "123456789:AAold-value-0123456789-0123456789");
    EXPECT_EQ(asked_["variables"], Json({{"MINIMAX_BASE_URL", "http://moved"}}));
    EXPECT_EQ(asked_["config"], "model: {provider: minimax}\n");
    EXPECT_FALSE(has_jobs());
    expect_hidden();
}

TEST_F(TryValues, TheOneShotPodHasTheAgentsCageAndNothingElseOfIt) {
    stop();
    tried();
    const Json& pod = at(job_, "/spec/template");
    EXPECT_EQ(text_at(pod, "/metadata/labels/app"), "hermes");
    EXPECT_FALSE(at(pod, "/metadata/labels").contains("pod-template-hash"));
    const Json& spec = at(pod, "/spec");
    ASSERT_EQ(at(spec, "/initContainers").size(), 1u);
    EXPECT_EQ(text_at(spec, "/initContainers/0/name"), gate_name);
    EXPECT_EQ(text_at(spec, "/initContainers/0/image"), "hermes:1");
    EXPECT_EQ(text_at(spec, "/initContainers/0/imagePullPolicy"), "IfNotPresent");
    EXPECT_EQ(text_at(spec, "/containers/0/image"), "hermes:1");
    EXPECT_EQ(text_at(spec, "/nodeSelector/disk"), "ssd");
    EXPECT_EQ(at(spec, "/automountServiceAccountToken"), false);
    EXPECT_FALSE(spec.contains("volumes"));
    for (const char* field : {"env", "envFrom", "volumeMounts"})
        EXPECT_FALSE(at(spec, "/containers/0").contains(field)) << field;
    EXPECT_EQ(at(spec, "/containers/0/securityContext/runAsUser"), 65534);
    EXPECT_EQ(at(spec, "/containers/0/securityContext/capabilities"), Json({{"drop", {"ALL"}}}));
    EXPECT_EQ(at(job_, "/spec/activeDeadlineSeconds"), 180);
    EXPECT_EQ(at(job_, "/spec/ttlSecondsAfterFinished"), 0);
}

TEST_F(TryValues, TheOneShotPodGoesWhateverHappens) {
    stop();
    starts = false;
    EXPECT_THAT(tried().each.at(0).reason, HasSubstr("did not start in time"));
    EXPECT_FALSE(has_jobs());
    starts = true;
    breaks = "trial";
    EXPECT_EQ(tried().each.at(0).answer, Answer::no_answer);
    EXPECT_FALSE(has_jobs());
    breaks = "";
    api_.deny("get", "pods/exec");
    api_.deny("create", "pods/exec");
    EXPECT_EQ(tried().each.at(0).answer, Answer::no_answer);
    EXPECT_FALSE(has_jobs());
}

TEST_F(TryValues, InACageThatDoesNotCloseNothingIsTried) {
    stop();
    gate_says = {{"exitCode", gate_still_open}, {"message", "10.43.0.10:9153"}};
    const Trials trials = tried();
    EXPECT_EQ(trials.from, "");
    EXPECT_EQ(trials.each.at(0).answer, Answer::no_answer);
    EXPECT_THAT(trials.each[0].reason, HasSubstr("nothing enforces NetworkPolicy"));
    EXPECT_TRUE(asked_from_.empty());
    EXPECT_FALSE(has_jobs());
}

TEST_F(TryValues, AContainerThatIsLostMeanwhileIsFollowedByTheOneShotPod) {
    breaks = "hermes";
    EXPECT_EQ(tried().from, "a one-shot pod");
    EXPECT_THAT(asked_from_, ::testing::ElementsAre("hermes", "trial"));
}

TEST_F(TryValues, WithoutTheRightToExecNothingIsKnownAndNoPodIsMade) {
    api_.deny("get", "pods/exec");
    api_.deny("create", "pods/exec");
    const Trials trials = tried();
    EXPECT_EQ(trials.each.at(0).answer, Answer::no_answer);
    EXPECT_EQ(job_, Json());
}

TEST_F(TryValues, WithoutTheRightToSeeThePodsNothingIsKnownAndNoPodIsMade) {
    api_.deny("list", "pods");
    const Trials trials = tried();
    EXPECT_EQ(trials.from, "");
    EXPECT_EQ(trials.each.at(0).answer, Answer::no_answer);
    EXPECT_THAT(trials.each[0].reason, HasSubstr("cannot list"));
    EXPECT_EQ(job_, Json());
}

TEST_F(TryValues, WithoutTheRightToReadTheSecretTheRestIsTried) {
    stop();
    api_.deny("get", "secrets");
    EXPECT_EQ(tried().each.at(0).answer, Answer::accepted);
    EXPECT_EQ(asked_["present"], "");
}

TEST_F(TryValues, WhatIsNoTextIsNotSent) {
    const Trials trials = try_values(client_, names, {{"A_FILE", "\xff\xfe"}, {token, value}}, reporter_);
    ASSERT_EQ(trials.each.size(), 2u);
    EXPECT_EQ(trials.each[0].answer, Answer::not_tried);
    EXPECT_EQ(trials.each[1].answer, Answer::accepted);
    EXPECT_FALSE(asked_["values"].contains("A_FILE"));
}

TEST_F(TryValues, CallsBackWhileItWaits) {
    stop();
    starts = false;
    int rounds = 0;
    try_values(client_, names, {{token, value}}, reporter_, [&] { ++rounds; });
    EXPECT_GT(rounds, 10);
}

}  // namespace
}  // namespace hermesctl::hermes
