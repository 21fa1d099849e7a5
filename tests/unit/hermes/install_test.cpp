// The order of the changes, and what stays undone when one of them fails.
#include "hermesctl/hermes/install.hpp"

#include "hermesctl/hermes/render.hpp"
#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

const Names names{.ns = "hermes", .name = "hermes"};

class InstallTest : public ::testing::Test {
  protected:
    void run(const InstallOptions& options = {}) {
        const Plan plan = make_plan(client_, read_live(client_, names), render(values_, input_));
        api_.log.clear();
        install(client_, plan, options, reporter_);
    }
    /// Of another image, onto a Deployment in which somebody has edited what it takes back.
    Plan plan_that_takes() {
        run();
        values_.image = "a/b:2";
        const Json shown{{"spec", {{"paused", false}, {"revisionHistoryLimit", 7}}}};
        client_.patch(names.deployment(), kube::Patch::merge, shown, {.manager = "kubectl-edit"}).value();
        Plan plan = make_plan(client_, read_live(client_, names), render(values_, input_));
        EXPECT_TRUE(plan.of("Deployment").forced);
        return plan;
    }
    void scale(int replicas, const std::string& manager) {
        const Json body{{"spec", {{"replicas", replicas}}}};
        client_.patch(names.deployment(), kube::Patch::merge, body, {.manager = manager}).value();
    }
    std::ptrdiff_t place(const std::string& line) const {
        return std::find(api_.log.begin(), api_.log.end(), line) - api_.log.begin();
    }

    testing::FakeClock clock_;
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_;
    kube::Client client_{transport_, clock_, reporter_};
    Values values_{};
    RenderInput input_{.secrets = {{"TELEGRAM_BOT_TOKEN", "t"}}, .salt = "5a17"};
};

TEST_F(InstallTest, NoPodBeforeItsAccountItsClaimAndItsCage) {
    std::size_t before_lease = 0;
    std::size_t before_deployment = 0;
    run({.after_namespace = [&] { before_lease = api_.log.size(); },
         .before_deployment = [&] { before_deployment = api_.log.size(); }});
    ASSERT_EQ(api_.log.size(), 7u) << ::testing::PrintToString(api_.log);
    EXPECT_EQ(api_.log.front(), "PATCH namespace/hermes");
    EXPECT_EQ(api_.log.back(), "PATCH deployment/hermes");
    EXPECT_EQ(before_lease, 1u);
    EXPECT_EQ(before_deployment, 6u);
    const std::vector<std::string> middle(api_.log.begin() + 1, api_.log.end() - 1);
    EXPECT_THAT(middle, UnorderedElementsAreArray(
                            {"PATCH serviceaccount/hermes", "PATCH persistentvolumeclaim/hermes-data",
                             "PATCH secret/hermes-secrets", "PATCH configmap/hermes-config",
                             "PATCH networkpolicy/hermes-egress"}));
}

TEST_F(InstallTest, AFailureInTheMiddleLeavesTheDeploymentAlone) {
    run();
    const Json before = api_.object(names.deployment());
    values_.image = "a/b:2";
    values_.network.dns = {"9.9.9.9"};
    input_.secrets["TELEGRAM_BOT_TOKEN"] = "u";
    api_.fail("PATCH", "NetworkPolicy", 2, testing::refusal(422, "Invalid", "no such cage"));
    bool hooked = false;
    std::vector<std::string> changed;
    try {
        run({.after_namespace = {},
             .before_deployment = [&] { hooked = true; },
             .changed = [&](const kube::Ref& ref) { changed.push_back(title(ref)); }});
        FAIL() << "not told";
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("no such cage"));
        EXPECT_THAT(error.trail(), Contains("applying networkpolicy/hermes-egress"));
        EXPECT_THAT(error.trail(), Contains("after secret/hermes-secrets had been applied"));
    }
    EXPECT_EQ(api_.object(names.deployment()), before);
    EXPECT_FALSE(hooked);
    EXPECT_THAT(changed, ElementsAre("secret/hermes-secrets"));
    run();  // the next one goes on from there
    EXPECT_EQ(kube::text_at(api_.object(names.deployment()), "/spec/template/spec/containers/0/image"),
              "a/b:2");
}

TEST_F(InstallTest, AnInterruptSaysWhatWasAppliedAndWhatMayHaveBeen) {
    run();
    values_.image = "a/b:2";
    input_.secrets["TELEGRAM_BOT_TOKEN"] = "u";
    const auto interrupt = [] { throw Error(ExitCode::interrupted, "interrupted"); };
    const auto trail = [this](const InstallOptions& options) {
        try {
            run(options);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::interrupted);
            return error.trail();
        }
        return std::vector<std::string>{"not interrupted"};
    };
    EXPECT_THAT(trail({.after_namespace = interrupt}), IsEmpty());
    EXPECT_THAT(trail({.before_deployment = interrupt}),
                ElementsAre("after secret/hermes-secrets had been applied"));
    api_.on_write = [&](const std::string&, const Json&) { interrupt(); };
    const std::string open = "applying deployment/hermes: any of it may have been applied";
    EXPECT_THAT(trail({}), ElementsAre(open));
    api_.on_write = {};
    const Json rolling{{"spec", {{"strategy", {{"type", "RollingUpdate"}}}}}};
    client_.patch(names.deployment(), kube::Patch::merge, rolling).value();
    api_.on_write = [&](const std::string&, const Json& object) {
        if (kube::text_at(object, "/spec/strategy/type") == "Recreate") interrupt();
    };
    values_.image = "a/b:3";
    EXPECT_THAT(trail({}), ElementsAre(open));
}

TEST_F(InstallTest, WhatWasNeverSentIsNotSaidToBeInDoubt) {
    run();
    values_.image = "a/b:2";
    transport_.before_start = [](const net::Request& request) {
        if (request.method == "PATCH" && request.target.find("dryRun") == std::string::npos)
            throw Error(ExitCode::denied, "the credential plugin failed");
    };
    try {
        run();
        ADD_FAILURE() << "it went through";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::denied);
        EXPECT_THAT(error.trail(), ElementsAre("applying deployment/hermes, which was not sent"));
    }
    EXPECT_FALSE(client_.has_lost_write());
}

TEST_F(InstallTest, WhatWasSentOnceStaysInDoubtWhereItIsNotSentAgain) {
    run();
    values_.image = "a/b:2";
    int sent = 0;
    transport_.before_start = [&](const net::Request& request) {
        if (request.method != "PATCH" || request.target.find("dryRun") != std::string::npos) return;
        if (++sent > 1) throw Error(ExitCode::denied, "the credential plugin failed");
        api_.fail("PATCH", "Deployment", 1, testing::answer(503, "", {{"Retry-After", "1"}}));
    };
    try {
        run();
        ADD_FAILURE() << "it went through";
    } catch (const Error& error) {
        EXPECT_THAT(error.trail(),
                    ElementsAre("applying deployment/hermes: any of it may have been applied"));
    }
    EXPECT_EQ(sent, 2);
    EXPECT_TRUE(client_.has_lost_write());
}

TEST_F(InstallTest, WhatIsTheSameIsNotWritten) {
    run();
    values_.model = "MiniMax-M3";
    run();
    EXPECT_THAT(api_.log, ElementsAre("PATCH configmap/hermes-config"));
    run();
    EXPECT_THAT(api_.log, IsEmpty());
}

TEST_F(InstallTest, ARollingUpdateGivesWayToRecreate) {
    run();
    Json deployment = render(values_, input_)[6];
    deployment["spec"]["strategy"] =
        R"({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})"_json;
    api_.erase(names.deployment());
    api_.put(deployment, "kubectl-client-side-apply");
    run();
    EXPECT_EQ(api_.object(names.deployment())["spec"]["strategy"], R"({"type": "Recreate"})"_json);
    run();
    EXPECT_THAT(api_.log, IsEmpty()) << "and that is all";
}

/// What nobody was shown is not taken: it came between the plan and its execution.
TEST_F(InstallTest, OnlyFieldsThatWereShownAreTaken) {
    run();
    values_.image = "a/b:2";
    const Plan plan = make_plan(client_, read_live(client_, names), render(values_, input_));
    scale(3, "argocd");
    EXPECT_THROW(install(client_, plan, {}, reporter_), kube::ApiError);
    EXPECT_EQ(api_.object(names.deployment())["spec"]["replicas"], 3);
    run();  // a new plan tells, and its consent is deploy's matter
    EXPECT_EQ(api_.object(names.deployment())["spec"]["replicas"], 1);
}

/// The same where the plan takes something that it has shown: that is no leave for what comes later.
TEST_F(InstallTest, WhatComesAfterThePlanIsNotTakenAlongWithWhatWasShown) {
    const Plan plan = plan_that_takes();
    const auto others = [&] { scale(3, "argocd"); };
    try {
        install(client_, plan, {.after_namespace = {}, .before_deployment = others}, reporter_);
        FAIL() << "not told";
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("deployment/hermes was changed meanwhile"));
    }
    EXPECT_EQ(api_.object(names.deployment())["spec"]["replicas"], 3);
    run();
    EXPECT_EQ(api_.object(names.deployment())["spec"]["replicas"], 1);
}

/// Which is written under our own name.
TEST_F(InstallTest, AStopAfterThePlanIsNotUndone) {
    const Plan plan = plan_that_takes();
    const auto stop = [&] { scale(0, std::string(kube::field_manager)); };
    EXPECT_THROW(install(client_, plan, {.after_namespace = {}, .before_deployment = stop}, reporter_),
                 Error);
    EXPECT_EQ(api_.object(names.deployment())["spec"]["replicas"], 0);
}

TEST_F(InstallTest, NothingThatComesMeanwhileIsTakenFromTheCageEither) {
    run();
    const auto close = [&](const std::string& by, const char* type) {
        client_
            .patch(names.policy(), kube::Patch::merge, {{"spec", {{"policyTypes", {type}}}}}, {.manager = by})
            .value();
    };
    close("kubectl-edit", "Egress");
    const Plan plan = make_plan(client_, read_live(client_, names), render(values_, input_));
    ASSERT_TRUE(plan.of("NetworkPolicy").forced);
    const InstallOptions options{.after_namespace = [&] { close("argocd", "Ingress"); },
                                 .before_deployment = {}};
    EXPECT_THROW(install(client_, plan, options, reporter_), Error);
    EXPECT_EQ(api_.object(names.policy())["spec"]["policyTypes"], Json({"Ingress"}));
}

TEST_F(InstallTest, WhatIsWrittenBeforeTheDeploymentIsNotWhereThatWasChanged) {
    const Plan plan = plan_that_takes();
    scale(3, "argocd");
    bool written = false;
    const InstallOptions options{.after_namespace = {}, .before_deployment = [&] { written = true; }};
    EXPECT_THROW(install(client_, plan, options, reporter_), Error);
    EXPECT_FALSE(written);
}

/// Its strategy is replaced by a patch, which asks nobody.
TEST_F(InstallTest, AStrategyThatWasChangedAfterThePlanStays) {
    run();
    const auto strategy = [&](int surge, const std::string& manager) {
        const Json body{
            {"spec", {{"strategy", {{"type", "RollingUpdate"}, {"rollingUpdate", {{"maxSurge", surge}}}}}}}};
        client_.patch(names.deployment(), kube::Patch::merge, body, {.manager = manager}).value();
    };
    strategy(1, "kubectl-edit");
    const Plan plan = make_plan(client_, read_live(client_, names), render(values_, input_));
    strategy(2, "argocd");
    EXPECT_THROW(install(client_, plan, {}, reporter_), Error);
    EXPECT_EQ(kube::text_at(api_.object(names.deployment()), "/spec/strategy/type"), "RollingUpdate");
}

TEST_F(InstallTest, KubectlGivesUpWhatIsOursAndKeepsTheRest) {
    for (Json object : render(values_, input_)) {
        if (object["kind"] == "Secret") object["data"]["COLONY_PAT"] = "cGF0";
        api_.put(object, "kubectl-client-side-apply");
    }
    run();
    const Json& secret = api_.object(names.secret());
    EXPECT_EQ(secret["data"]["COLONY_PAT"], "cGF0");
    for (const Json& entry : secret["metadata"]["managedFields"]) {
        if (entry["manager"] != "kubectl-client-side-apply") continue;
        EXPECT_THAT(entry["fieldsV1"].dump(), HasSubstr("COLONY_PAT"));
        EXPECT_THAT(entry["fieldsV1"].dump(), Not(HasSubstr("TELEGRAM_BOT_TOKEN")));
    }
}

/// Refused, or changed by somebody else each time.
class KubectlKeepsWhatItHas : public InstallTest, public ::testing::WithParamInterface<int> {
  protected:
    State last_state(const std::string& subject) const {
        State state = State::info;
        for (const Event& event : reporter_.events) {
            if (event.subject == subject) state = event.state;
        }
        return state;
    }
};

TEST_P(KubectlKeepsWhatItHas, ThatIsAFailureOfThisObjectAlone) {
    for (const Json& object : render(values_, input_))
        api_.put(object, "kubectl-client-side-apply");
    const Plan plan = make_plan(client_, read_live(client_, names), render(values_, input_));
    for (int tries = 0; tries < 5; ++tries)
        api_.fail("PATCH", "Secret", 2, testing::refusal(GetParam(), "", "its fields stay"));
    api_.log.clear();
    try {
        install(client_, plan, {}, reporter_);
        FAIL() << "not told";
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("its fields stay"));
        EXPECT_THAT(error.trail(), Contains("applying secret/hermes-secrets"));
        ASSERT_FALSE(error.trail().empty());
        EXPECT_THAT(error.trail().back(), HasSubstr("secret/hermes-secrets"));
        EXPECT_THAT(error.trail().back(), HasSubstr("networkpolicy/hermes-egress"));
    }
    EXPECT_EQ(last_state("secret/hermes-secrets"), State::failed);
    EXPECT_EQ(last_state("networkpolicy/hermes-egress"), State::done);
    EXPECT_THAT(api_.log, Not(Contains("PATCH deployment/hermes")));
}

INSTANTIATE_TEST_SUITE_P(Answers, KubectlKeepsWhatItHas, ::testing::Values(422, 409));

}  // namespace
}  // namespace hermesctl::hermes
