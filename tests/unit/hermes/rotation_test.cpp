// Values of the Secret changed, proved, put back, or refused before anything is changed.
#include "rotating.hpp"

#include <gmock/gmock.h>

namespace hermesctl::hermes {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const SecretChanges other_token{{"TELEGRAM_BOT_TOKEN", new_token}};

using Rotation = Rotating;

TEST_F(Rotation, ReplacesAValueProvesItAndLeavesNothingBehind) {
    const Rotated done = rotate(other_token);
    EXPECT_TRUE(done.changed);
    EXPECT_TRUE(done.answering);
    EXPECT_TRUE(done.proof.holds());
    EXPECT_EQ(token(), new_token);
    EXPECT_EQ(values().at("KEEP"), "kept");
    EXPECT_EQ(template_mark(), mark()) << "the next deploy has nothing to change";
    EXPECT_THAT(writes(), ElementsAre("POST secret/hermes-secrets-previous", "PATCH secret/hermes-secrets",
                                      "PATCH deployment/hermes",
                                      "PATCH secret/hermes-secrets-previous",  // renewed
                                      "DELETE secret/hermes-secrets-previous"));
    EXPECT_EQ(drained_, 1);
}

TEST_F(Rotation, AddsAndRemovesKeys) {
    rotate({{"NEW_TOKEN", "a-value"}, {"MINIMAX_API_KEY", std::nullopt}});
    EXPECT_EQ(values().count("MINIMAX_API_KEY"), 0u);
    EXPECT_EQ(values().at("NEW_TOKEN"), "a-value");
    EXPECT_EQ(pod_, values());
}

TEST_F(Rotation, WhatIsThereAlreadyIsNoChange) {
    const RotationPlan plan = plan_rotation(client_, names_, {{"KEEP", "kept"}, {"NONE", std::nullopt}});
    EXPECT_FALSE(plan.changes_anything());
    EXPECT_THAT(rotation_text(plan), HasSubstr("= same    secret/hermes-secrets"));
}

TEST_F(Rotation, OldValuesAreKeptMeanwhileAndNamedOnlyByKey) {
    Json record;
    while_waiting_ = [&] { record = api_.object(names_.previous()); };
    rotate({{"TELEGRAM_BOT_TOKEN", new_token}, {"NEW_TOKEN", "a-value"}});
    EXPECT_EQ(record["data"], (Json{{"TELEGRAM_BOT_TOKEN", base64_encode(old_token)}}));
    EXPECT_EQ(record["metadata"]["labels"], api_.object(names_.secret())["metadata"]["labels"]);
    const std::string notes = record["metadata"]["annotations"].dump();
    EXPECT_THAT(notes, AllOf(HasSubstr("holder"), HasSubstr("renewed"), HasSubstr("NEW_TOKEN")));
    for (const std::string& value : {old_token, new_token, std::string("a-value")}) {
        EXPECT_THAT(notes + story(), Not(HasSubstr(value)));
        EXPECT_THAT(notes + story(), Not(HasSubstr(base64_encode(value))));
    }
}

TEST_F(Rotation, OfTwoAtOnceOneWinsAndTheOtherIsToldWhoAndToRunAgain) {
    after_plan_ = [&] {
        kube::Client other(transport_, clock_, reporter_);
        other.patch(names_.secret(), kube::Patch::merge, {{"data", {{"KEEP", base64_encode("of-another")}}}},
                    {.manager = "kubectl-edit"});
    };
    EXPECT_THAT(failure([&] { rotate(other_token); }),
                AllOf(HasSubstr("was changed meanwhile by kubectl-edit"), HasSubstr("run this again")));
    EXPECT_EQ(token(), old_token);
    EXPECT_EQ(values().at("KEEP"), "of-another");
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, RefusesWhatIsMissingImmutableOrNotOurs) {
    const auto refusal = [&] { return failure([&] { rotate(other_token); }); };
    const Json secret = api_.object(names_.secret());
    api_.merge(names_.secret(), {{"immutable", true}});
    EXPECT_THAT(refusal(), AllOf(HasSubstr("immutable"), HasSubstr("hermesctl deploy")));
    api_.put(secret);
    api_.merge(names_.secret(), {{"metadata", {{"labels", {{"app.kubernetes.io/instance", "bob"}}}}}});
    EXPECT_THAT(refusal(), AllOf(HasSubstr("belongs to the instance bob"), HasSubstr("--name bob")));
    Json by_hand = secret;
    by_hand["metadata"].erase("labels");
    api_.put(by_hand);
    EXPECT_THAT(refusal(), HasSubstr("was not made by hermesctl"));
    api_.erase(names_.secret());
    EXPECT_THAT(refusal(), HasSubstr("there is no secret/hermes-secrets"));
    api_.erase(names_.deployment());
    EXPECT_THAT(refusal(), HasSubstr("there is no deployment/hermes"));
    EXPECT_THAT(writes(), IsEmpty());
}

TEST_F(Rotation, WithoutTheRightToReadItIsSetUnseenAndThatIsSaid) {
    api_.deny("get", "secrets");
    const RotationPlan plan = plan_rotation(client_, names_, other_token);
    EXPECT_TRUE(plan.blind);
    EXPECT_THAT(rotation_text(plan), HasSubstr("may not be read"));
    const Rotated done = rotate(other_token);
    EXPECT_TRUE(done.answering);
    EXPECT_EQ(token(), new_token);
    EXPECT_EQ(values().at("KEEP"), "kept");
    EXPECT_THAT(writes(), ElementsAre("PATCH secret/hermes-secrets", "PATCH deployment/hermes"));
    EXPECT_THAT(story(), HasSubstr("cannot be put back"));
    accepted_ = {};
    EXPECT_THAT(failure([&] { rotate({{"TELEGRAM_BOT_TOKEN", "x"}}); }), HasSubstr("nothing was put back"));
}

TEST_F(Rotation, OneThatDoesNotComeUpIsPutBackAndTheBotAnswersAgain) {
    accepted_ = {old_token};
    const std::string told = failure([&] { rotate(other_token); });
    EXPECT_THAT(told, AllOf(HasSubstr("the new TELEGRAM_BOT_TOKEN did not work"), HasSubstr("rejected"),
                            HasSubstr("the old TELEGRAM_BOT_TOKEN is back, and the bot answers")));
    EXPECT_EQ(token(), old_token);
    EXPECT_EQ(template_mark(), mark());
    EXPECT_EQ(pod_, values());
    EXPECT_EQ(waits_, 2);
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, TheServersOwnTroubleUndoesNothing) {
    while_waiting_ = [] {
        throw kube::ApiError(testing::refusal(500, "InternalError", "error dialing backend"),
                             "asking the pod");
    };
    EXPECT_THAT(failure([&] { rotate(other_token); }), HasSubstr("error dialing backend"));
    EXPECT_EQ(token(), new_token);
    EXPECT_TRUE(half_done_now()) << "the next command finishes it";
    while_waiting_ = nullptr;
    EXPECT_TRUE(recover());
    EXPECT_EQ(token(), new_token);
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, ATroubleThatNoKeyMadeUndoesNothingNowOrLater) {
    for (const ExitCode code : {ExitCode::failed, ExitCode::timeout}) {
        put_secret({{"TELEGRAM_BOT_TOKEN", old_token}, {"KEEP", "kept"}});
        while_waiting_ = [&] { throw Error(code, "the registry's pull limit is reached (429)", "wait"); };
        EXPECT_THAT(failure([&] { rotate(other_token); }, code),
                    AllOf(HasSubstr("(429); the change of TELEGRAM_BOT_TOKEN stays"),
                          HasSubstr("wait, then: hermesctl wait")));
        EXPECT_EQ(token(), new_token);
        EXPECT_EQ(template_mark(), mark());
        EXPECT_FALSE(half_done_now()) << "nor does the next command undo it";
    }
    EXPECT_EQ(waits_, 2);
}

TEST_F(Rotation, WhatCouldNotBeRemovedAndMayUndoItIsTold) {
    while_waiting_ = [this] {
        api_.fail_always("DELETE", "Secret", testing::refusal(500, "InternalError", "etcd"));
        throw Error(ExitCode::failed, "the registry's pull limit is reached (429)", "wait");
    };
    EXPECT_THAT(failure([&] { rotate(other_token); }),
                HasSubstr("the next command may undo it, as secret/hermes-secrets-previous is left"));
}

TEST_F(Rotation, WhoWasPutOutDoesNotComeBackWithAnotherKey) {
    put_secret({{"TELEGRAM_BOT_TOKEN", old_token}, {"TELEGRAM_GROUP_ALLOWED_USERS", "5,6"}, {"A", "a"}});
    accepted_ = {old_token};
    EXPECT_THAT(
        failure([&] {
            rotate({{"TELEGRAM_BOT_TOKEN", new_token}, {"TELEGRAM_GROUP_ALLOWED_USERS", "5"}});
        }),
        AllOf(HasSubstr("the old TELEGRAM_BOT_TOKEN is back"),
              HasSubstr("the old TELEGRAM_GROUP_ALLOWED_USERS is not put back: it says who may use")));
    EXPECT_EQ(token(), old_token);
    EXPECT_EQ(values().at("TELEGRAM_GROUP_ALLOWED_USERS"), "5");
    EXPECT_EQ(template_mark(), mark());
}

TEST_F(Rotation, AKeyThatWasAddedGoesAgainWhenItDoesNotComeUp) {
    while_waiting_ = [&] { accepted_ = waits_ == 1 ? std::set<std::string>{} : std::set{old_token}; };
    failure([&] { rotate({{"NEW_TOKEN", "a-value"}}); });
    EXPECT_EQ(values().count("NEW_TOKEN"), 0u);
    EXPECT_EQ(template_mark(), mark());
}

TEST_F(Rotation, ThatNeitherWorksIsSaid) {
    accepted_ = {};
    EXPECT_THAT(failure([&] { rotate(other_token); }), HasSubstr("does not answer with it either"));
    EXPECT_EQ(token(), old_token);
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, ARevokedOldValueIsNotPutBackAndThatIsSaid) {
    accepted_ = {};
    revoked_ = {old_token};
    EXPECT_THAT(
        failure([&] {
            rotate({{"TELEGRAM_BOT_TOKEN", new_token}, {"KEEP", "else"}});
        }),
        AllOf(HasSubstr("the old TELEGRAM_BOT_TOKEN is not put back"), HasSubstr("the old KEEP is back")));
    EXPECT_EQ(token(), new_token);
    EXPECT_EQ(values().at("KEEP"), "kept");
    EXPECT_EQ(template_mark(), mark());
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, StoppedMeanwhileTheNewValueStays) {
    accepted_ = {};
    while_waiting_ = [&] { api_.merge(names_.deployment(), {{"spec", {{"replicas", 0}}}}); };
    EXPECT_THAT(failure([&] { rotate(other_token); }),
                HasSubstr("secret/hermes-secrets keeps the new value"));
    EXPECT_EQ(token(), new_token) << "what was leaked does not come back";
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, WhatSomebodyElseHasSetMeanwhileIsNotPutBack) {
    accepted_ = {};
    while_waiting_ = [&] {
        api_.merge(names_.secret(), {{"data", {{"TELEGRAM_BOT_TOKEN", base64_encode("of-another")}}}});
    };
    EXPECT_THAT(failure([&] { rotate(other_token); }), HasSubstr("stays as it is now"));
    EXPECT_EQ(token(), "of-another");
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, AGatewayWithAnotherValueIsNoSuccess) {
    proof_ = R"({"gateways": 1, "unused": ["TELEGRAM_BOT_TOKEN"], "shadowed": [], "unread": []})";
    EXPECT_THAT(failure([&] { rotate(other_token); }),
                AllOf(HasSubstr("its gateway has another value"), HasSubstr("nothing was put back")));
    EXPECT_EQ(token(), new_token) << "it answers: the old one would mend nothing";
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, WhatCouldNotBeProvedOrIsShadowedIsTold) {
    proof_ = R"({"gateways": 1, "unused": [], "shadowed": ["KEEP"], "unread": []})";
    const Rotated done = rotate({{"KEEP", "else"}});
    EXPECT_FALSE(done.proof.holds());
    EXPECT_THAT(done.proof.shadowed, ElementsAre("KEEP"));
    for (const auto& [said, why] :
         {std::pair{R"({"gateways": 0, "unused": [], "shadowed": [], "unread": []})", "no gateway"},
          {R"({"gateways": 1, "unused": [], "shadowed": [], "unread": ["/opt/data/.env"]})",
           "/opt/data/.env"},
          {"planted\n", "could not be told"}}) {
        proof_ = said;
        put_secret({{"TELEGRAM_BOT_TOKEN", old_token}, {"KEEP", "kept"}});
        EXPECT_THAT(failure([&] {
                        rotate({{"KEEP", "more"}});
                    }),
                    AllOf(HasSubstr(why), HasSubstr("nothing was put back"), HasSubstr("hermesctl ")));
        EXPECT_EQ(values().at("KEEP"), "more");
        EXPECT_TRUE(half_done_now()) << "the next command asks again";
        EXPECT_TRUE(recover());
        EXPECT_FALSE(half_done_now()) << "and is not kept from its work";
    }
}

TEST_F(Rotation, WhoMayNotAskIsToldSoAndThatIsNoFailure) {
    api_.deny("get", "pods/exec");
    api_.deny("create", "pods/exec");
    const Rotated done = rotate(other_token);
    EXPECT_TRUE(done.proof.denied);
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, WithoutARestartOnlyTheSecretChangesAndNothingIsHalfDone) {
    const Rotated done = rotate(other_token, false);
    EXPECT_TRUE(done.changed);
    EXPECT_FALSE(done.answering);
    EXPECT_THAT(writes(), ElementsAre("PATCH secret/hermes-secrets"));
    EXPECT_TRUE(plan_rotation(client_, names_, {}).pending);
    const auto annotations = pending_mark(client_, names_, api_.object(names_.deployment()));
    EXPECT_EQ(annotations.value(), (Json{{"hermesctl/secret-hmac", mark()}})) << "restart brings it in force";
    rotate(other_token);
    EXPECT_EQ(pod_["TELEGRAM_BOT_TOKEN"], new_token) << "so does the same again";
    EXPECT_FALSE(plan_rotation(client_, names_, {}).pending);
}

TEST_F(Rotation, AnInterruptBeforeTheFirstWriteSaysThatNothingIsChanged) {
    RotationSteps cut = steps();
    cut.drain = [](const RotationSteps::EachRound&) { throw Error(ExitCode::interrupted, "interrupted"); };
    const RotationPlan plan = plan_rotation(client_, names_, other_token);
    EXPECT_THAT(
        failure([&] { hermes::rotate(client_, plan, true, cut, nullptr, reporter_); }, ExitCode::interrupted),
        HasSubstr("secret/hermes-secrets is as it was"));
    EXPECT_THAT(writes(), IsEmpty());
}

TEST_F(Rotation, AStoppedAgentGetsItWithItsNextStart) {
    api_.merge(names_.deployment(), {{"spec", {{"replicas", 0}}}});
    EXPECT_FALSE(rotate(other_token).answering);
    EXPECT_EQ(waits_ + drained_, 0);
    EXPECT_EQ(template_mark(), mark());
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, WhereThePodMayNotBeRolledTheSecretIsAsItWas) {
    api_.deny("patch", "deployments");
    EXPECT_THAT(failure([&] { rotate(other_token); }, ExitCode::denied), HasSubstr("is as it was"));
    EXPECT_EQ(token(), old_token);
    EXPECT_FALSE(half_done_now());
}

TEST_F(Rotation, WhoeverTakesItOverIsNotUndone) {
    accepted_ = {};
    while_waiting_ = [&] {
        api_.merge(names_.previous(), {{"metadata", {{"annotations", {{"taken", "over"}}}}}});
    };
    EXPECT_THAT(failure([&] { rotate(other_token); }), HasSubstr("another hermesctl has taken over"));
    EXPECT_EQ(token(), new_token);
    EXPECT_TRUE(half_done_now());
}

TEST_F(Rotation, WhoeverTakesItOverWhileItIsProvedIsNotUndone) {
    api_.on_exec = [&](testing::FakeProcess&) {  // and gives no answer
        api_.merge(names_.previous(), {{"metadata", {{"annotations", {{"taken", "over"}}}}}});
    };
    EXPECT_THAT(failure([&] { rotate(other_token); }), HasSubstr("another hermesctl has taken over"));
    EXPECT_EQ(token(), new_token);
    EXPECT_TRUE(half_done_now());
}

TEST_F(Rotation, ASecretWithoutASaltGetsOne) {
    Json secret = api_.object(names_.secret());
    secret["metadata"].erase("annotations");
    api_.put(secret);
    rotate(other_token);
    const std::string made =
        kube::text_at(api_.object(names_.secret()), "/metadata/annotations/hermesctl~1salt");
    EXPECT_EQ(made.size(), 32u);
    EXPECT_EQ(template_mark(), secrets_mark(made, values()));
}

}  // namespace
}  // namespace hermesctl::hermes
