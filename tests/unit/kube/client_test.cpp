// What the client sends, and what it makes of the answers.
#include "hermesctl/kube/client.hpp"

#include "hermesctl/base/scrub.hpp"
#include "support/fake_transport.hpp"
#include "support/recording_reporter.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

using ::testing::AllOf;
using testing::answer;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::no_answer;
using testing::refusal;

struct ClientTest : ::testing::Test {
    testing::FakeClock clock{};
    testing::FakeTransport net{clock};
    testing::RecordingReporter reporter{};
    Client client{net, clock, reporter};
    const Ref hermes{"Deployment", "hermes", "hermes"};
    const Json deployment = Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment",
        "metadata":{"name":"hermes","namespace":"hermes"}})");

    const net::Request& sent(std::size_t index = 0) { return net.requests.at(index); }
    std::string sent_header(const std::string& name, std::size_t index = 0) {
        return std::string(net::Response{.headers = sent(index).headers}.header(name));
    }
    Json sent_body() { return Json::parse(sent().body); }
};

TEST_F(ClientTest, GetsAnObject) {
    net.answers = {answer(200, R"({"kind":"Deployment"})")};
    EXPECT_EQ(client.get(hermes)->at("kind"), "Deployment");
    EXPECT_EQ(sent().method, "GET");
    EXPECT_EQ(sent().target, "/apis/apps/v1/namespaces/hermes/deployments/hermes");
}

TEST_F(ClientTest, KnowsWhatTheServersClockSays) {
    EXPECT_EQ(client.server_time(), clock.wall());
    for (const char* date : {"Sat, 31 Jan 2099 10:00:00 GMT", "soon"}) {
        net::Response dated = answer(200, R"({"kind":"Deployment"})");
        dated.headers.push_back({"Date", date});
        net.answers = {dated};
        client.get(hermes);
        EXPECT_EQ(rfc3339(client.server_time()).substr(0, 19), "2099-01-31T10:00:00") << date;
    }
    clock.advance(std::chrono::seconds{5});
    EXPECT_EQ(rfc3339(client.server_time()).substr(0, 19), "2099-01-31T10:00:05");
}

class AServerThatHangs : public ClientTest {
  protected:
    std::string failure_of(const Outcome& outcome) { return outcome.error ? outcome.error->message() : ""; }
    Client impatient{net, clock, reporter, std::chrono::seconds{20}};
};

TEST_F(AServerThatHangs, IsNotAskedAnyMoreByWhatOnlyReads) {
    EXPECT_EQ(failure_of(impatient.look(hermes)), "the API server did not answer: timed out (--timeout 20s)");
    const std::string unasked =
        "the API server did not answer: the time was up before this was asked (--timeout 20s)";
    EXPECT_EQ(failure_of(impatient.look(hermes)), unasked);
    EXPECT_EQ(failure_of(impatient.apply(deployment, {.dry_run = true})), unasked);
    EXPECT_EQ(failure_of(impatient.patch(hermes, Patch::merge, Json::object(), {.dry_run = true})), unasked);
    EXPECT_THROW(impatient.allowed(std::array{Permission{"get", "", "pods"}}), ApiError);
    EXPECT_EQ(net.requests.size(), 1u);
    EXPECT_EQ(clock.now() - Clock::Time{},
              testing::FakeClock{}.now() - Clock::Time{} + std::chrono::seconds{20});
}

TEST_F(AServerThatHangs, KeepsNoDryRunAndNoQuestionLongerThanAReadEither) {
    const auto taken = [this](const std::function<void(Client&)>& ask) {
        Client fresh{net, clock, reporter, std::chrono::seconds{0}};
        const auto begun = clock.now();
        ask(fresh);
        EXPECT_TRUE(fresh.is_out_of_time());
        return clock.now() - begun;
    };
    const std::chrono::seconds shortest{1};
    EXPECT_EQ(taken([&](Client& it) { it.apply(deployment, {.dry_run = true}); }), shortest);
    EXPECT_EQ(taken([&](Client& it) { it.patch(hermes, Patch::merge, deployment, {.dry_run = true}); }),
              shortest);
    EXPECT_EQ(taken([&](Client& it) {
                  EXPECT_THROW(it.allowed(std::array{Permission{"get", "", "pods"}}), ApiError);
              }),
              shortest);
    EXPECT_EQ(
        taken([&](Client& it) { EXPECT_THAT(failure_of(it.look(hermes)), HasSubstr("(--timeout 0s)")); }),
        shortest);
}

TEST_F(AServerThatHangs, KeepsNoChangeThatHasBegunFromItsEnd) {
    const Json lease = Json::parse(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",
        "metadata":{"name":"hermes","namespace":"hermes"}})");
    const std::vector<std::function<Outcome(Client&)>> changes{
        [&](Client& it) { return it.apply(deployment); }, [&](Client& it) { return it.create(lease); }};
    for (const auto& change : changes) {
        Client fresh{net, clock, reporter, std::chrono::seconds{20}};
        EXPECT_NE(failure_of(fresh.look(hermes)), "") << "before the change";
        net.answers = {answer(201, "{}")};
        EXPECT_EQ(failure_of(change(fresh)), "");
        EXPECT_EQ(failure_of(fresh.look(hermes)), "the API server did not answer: timed out");
        net.answers = {answer(200, "{}")};
        EXPECT_EQ(failure_of(fresh.look(hermes)), "") << "it is well again";
    }
}

TEST_F(ClientTest, ALostWriteOfWhatIsForTheRunAloneChangesNothing) {
    const Ref job{"Job", "hermes", "trial"};
    net.answers = {no_answer("reset", true)};
    EXPECT_THROW(client.remove(job), ApiError);
    EXPECT_FALSE(client.has_lost_write());
    net.answers = {no_answer("reset", true)};
    EXPECT_THROW(client.remove(hermes), ApiError);
    EXPECT_TRUE(client.has_lost_write());
}

TEST_F(ClientTest, ARefusalTellsNothingOfATryBeforeThatFailed) {
    const net::Response conflict = refusal(409, "Conflict", "the object has been modified");
    const auto busy = [](int status) { return answer(status, "", {{"Retry-After", "1"}}); };
    net.answers = {busy(429), conflict};
    EXPECT_TRUE(client.apply(deployment).error);
    net.answers = {busy(503), answer(200, "{}")};
    EXPECT_FALSE(client.apply(deployment).error);
    EXPECT_FALSE(client.has_lost_write()) << "the server was too busy to begin, or has done it";
    net.answers = {busy(503), conflict};
    EXPECT_TRUE(client.apply(deployment).error);
    EXPECT_TRUE(client.has_lost_write());
}

TEST_F(ClientTest, AMissingObjectIsNothing) {
    net.answers = {refusal(404, "NotFound", "deployments.apps \"hermes\" not found")};
    EXPECT_EQ(client.get(hermes), std::nullopt);
}

TEST_F(ClientTest, ANotFoundThatIsNotTheApiServersTellsNothingOfTheObject) {
    for (const char* body : {"404 page not found\n", "<html><title>404 Not Found</title></html>",
                             R"({"type":"error","status":"404","code":"NotFound"})"}) {
        net.answers = {answer(404, body), answer(404, body)};
        try {
            client.get(hermes);
            FAIL() << body;
        } catch (const ApiError& error) {
            EXPECT_EQ(error.http(), 404);
            EXPECT_THAT(error.hint(), HasSubstr("base path"));
        }
        EXPECT_THROW(client.remove(hermes), ApiError);
    }
}

TEST_F(ClientTest, GetsSeveralInOneGo) {
    net.answers = {answer(200, R"({"n":1})"), refusal(404, "NotFound", "no"),
                   refusal(403, "Forbidden", "no")};
    const std::array refs{hermes, Ref{"Secret", "n", "a"}, Ref{"Secret", "n", "b"}};
    const std::vector<Outcome> outcomes = client.get_all(refs);
    EXPECT_EQ(outcomes[0].value().at("n"), 1);
    EXPECT_TRUE(outcomes[1].not_found());
    EXPECT_EQ(outcomes[2].error->code(), ExitCode::denied);
    EXPECT_EQ(outcomes[2].error->trail(), std::vector<std::string>{"reading secret/b"});
}

TEST_F(ClientTest, ListsWithKindsAndSelectors) {
    net.answers = {answer(200, R"({"items":[{"metadata":{"name":"a"}}]})"), answer(200, R"({"items":null})")};
    const std::vector<Json> pods = client.list("Pod", "hermes", {"app=hermes", "metadata.name=a"});
    EXPECT_EQ(sent().target,
              "/api/v1/namespaces/hermes/pods?labelSelector=app%3Dhermes&fieldSelector=metadata."
              "name%3Da");
    EXPECT_EQ(pods.at(0), Json::parse(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}})"));
    EXPECT_TRUE(client.list("Pod", "").empty());
}

TEST_F(ClientTest, ItemsThatAreNoObjectsBecomeEmptyOnes) {
    net.answers = {answer(200, R"({"items":[7]})")};
    EXPECT_EQ(client.list("Pod", "hermes").at(0), Json::parse(R"({"apiVersion":"v1","kind":"Pod"})"));
}

TEST_F(ClientTest, AppliesAsTheOnlyFieldManager) {
    net.answers = {answer(201, "{}")};
    EXPECT_TRUE(client.apply(deployment).created);
    EXPECT_EQ(sent().method, "PATCH");
    EXPECT_EQ(sent().target,
              "/apis/apps/v1/namespaces/hermes/deployments/hermes?fieldManager=hermesctl"
              "&fieldValidation=Strict&force=false");
    EXPECT_EQ(sent_header("Content-Type"), "application/apply-patch+yaml");
    EXPECT_EQ(sent_body(), deployment);
}

TEST_F(ClientTest, AppliesByForceAndAsDryRunOnlyWhenAsked) {
    net.answers = {answer(200, "{}")};
    EXPECT_FALSE(client.apply(deployment, {.dry_run = true, .force = true}).created);
    EXPECT_THAT(sent().target, HasSubstr("&dryRun=All&force=true"));
}

TEST_F(ClientTest, OutwaitsTheServersOwnLimitOnWrites) {
    net.answers = {answer(200, "{}"), answer(200, "{}"), answer(200, "{}"), answer(200, "{}")};
    client.apply(deployment);
    client.create(deployment);
    client.remove(hermes);
    client.remove(hermes, {.timeout = std::chrono::seconds{2}});
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_GT(sent(i).timeout, std::chrono::seconds{34}) << sent(i).method;
    EXPECT_EQ(sent(3).timeout, std::chrono::seconds{2});
}

TEST_F(ClientTest, NeverAppliesManagedFields) {
    net.answers = {answer(200, "{}")};
    Json live = deployment;
    live["metadata"]["managedFields"] = Json::array({1});
    client.apply(live);
    EXPECT_EQ(sent_body(), deployment);
}

TEST_F(ClientTest, CreatesAndReplaces) {
    net.answers = {answer(201, "{}"), answer(200, "{}")};
    EXPECT_TRUE(client.create(deployment).created);
    client.replace(deployment);
    EXPECT_EQ(sent().method, "POST");
    EXPECT_THAT(sent().target, EndsWith("/deployments?fieldManager=hermesctl&fieldValidation=Strict"));
    EXPECT_EQ(sent(1).method, "PUT");
    EXPECT_THAT(sent(1).target, HasSubstr("/deployments/hermes?fieldManager=hermesctl"));
}

TEST_F(ClientTest, PatchesWithManagerDryRunAndType) {
    net.answers = {answer(200, "{}")};
    client.patch(hermes, Patch::merge, {{"spec", {{"replicas", 0}}}}, {.manager = "argocd", .dry_run = true});
    EXPECT_THAT(sent().target,
                AllOf(HasSubstr("/deployments/hermes?fieldManager=argocd&"), EndsWith("&dryRun=All")));
    EXPECT_EQ(sent_header("Content-Type"), "application/merge-patch+json");
}

TEST_F(ClientTest, DeletesWithEveryOptionInTheBody) {
    net.answers = {answer(200, "{}")};
    EXPECT_TRUE(client.remove(hermes, {.uid = "u1", .resource_version = "7", .grace_seconds = 0}));
    EXPECT_EQ(sent().method, "DELETE");
    EXPECT_EQ(sent_body(), Json::parse(R"({"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,
        "preconditions":{"uid":"u1","resourceVersion":"7"},
        "propagationPolicy":"Background"})"));
}

TEST_F(ClientTest, DeletingWhatIsGoneIsFine) {
    net.answers = {refusal(404, "NotFound", "no"), refusal(409, "Conflict", "the UID does not match")};
    EXPECT_FALSE(client.remove(hermes));
    EXPECT_THROW(client.remove(hermes, {.uid = "u1"}), ApiError);
}

TEST_F(ClientTest, AsksWhatIsAllowed) {
    net.answers = {answer(201, R"({"status":{"allowed":true}})"), answer(201, R"({"status":{}})")};
    const std::array asked{Permission{.verb = "get", .resource = "pods", .subresource = "exec", .ns = "n"},
                           Permission{.verb = "list", .resource = "nodes"}};
    EXPECT_THAT(client.allowed(asked), ElementsAre(true, false));
    EXPECT_EQ(sent_body().at("spec"), Json::parse(R"({"resourceAttributes":{"verb":"get","group":"",
        "resource":"pods","subresource":"exec","namespace":"n"}})"));
}

TEST_F(ClientTest, NotBeingAbleToAskIsAnError) {
    net.answers = {refusal(403, "Forbidden", "no")};
    const Permission nodes{.verb = "list", .resource = "nodes"};
    EXPECT_THROW(client.allowed({&nodes, 1}), ApiError);
}

TEST_F(ClientTest, WarningsAreShownOnceEach) {
    const net::Header one{"warning", R"(299 - "would violate \"restricted\"", 299 - "second, with comma")"};
    const net::Header other{"Warning", R"(199 - "not for us")"};
    net.answers = {answer(200, "{}", {one, other}), answer(200, "{}", {one})};
    client.apply(deployment);
    client.apply(deployment);
    ASSERT_EQ(reporter.events.size(), 2u);
    EXPECT_EQ(reporter.events[0].phase, "warning");
    EXPECT_EQ(reporter.events[0].state, State::warning);
    EXPECT_EQ(reporter.events[0].detail, "would violate \"restricted\"");
    EXPECT_EQ(reporter.events[1].detail, "second, with comma");
    EXPECT_NE(reporter.events[0].subject, reporter.events[1].subject);
}

TEST_F(ClientTest, WarningsOfRefusalsCountAndMalformedOnesDoNot) {
    net.answers = {answer(
        500, "",
        {{"Warning", R"(299 - "kept" "Sat, 25 Aug 2012 23:34:45 GMT", 299 - "open)"}, {"Warning", "299"}})};
    client.apply(deployment);
    ASSERT_EQ(reporter.events.size(), 1u);
    EXPECT_EQ(reporter.events[0].detail, "kept");
}

TEST_F(ClientTest, SecretsDoNotLeaveInWarningsOrErrors) {
    remember_secret("s3cr3t-value");
    net.answers = {answer(422, R"({"kind":"Status","message":"bad s3cr3t-value"})",
                          {{"Warning", R"(299 - "saw s3cr3t-value")"}})};
    EXPECT_EQ(client.apply(deployment).error->message(), "bad ***");
    EXPECT_EQ(reporter.events.at(0).detail, "saw ***");
}

TEST_F(ClientTest, WaitsAsTheServerAsks) {
    net.answers = {answer(429, "Too many requests, please try again later.\n", {{"Retry-After", "1"}}),
                   answer(200, "{}")};
    EXPECT_TRUE(client.get(hermes));
    EXPECT_GE(clock.elapsed(), std::chrono::seconds(1));
}

TEST_F(ClientTest, AManifestErrorIsNotTriedAgain) {
    net.answers = {answer(
        500, R"({"kind":"Status","code":500,"message":"failed to create typed patch object )"
             R"((hermes/hermes; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema"})")};
    const Outcome outcome = client.apply(deployment);
    EXPECT_EQ(net.requests.size(), 1u);
    EXPECT_EQ(outcome.error->code(), ExitCode::failed);
    EXPECT_THAT(outcome.error->message(), HasSubstr(".spec.foo: field not declared in schema"));
}

TEST_F(ClientTest, RefusedCredentialsAreNotTriedAgain) {
    net.answers = {refusal(401, "Unauthorized", "Unauthorized"), answer(200, "{}")};
    EXPECT_THROW(client.get(hermes), ApiError);
    EXPECT_EQ(net.requests.size(), 1u) << "the transport has asked for fresh ones already";
}

TEST_F(ClientTest, SeveralPathsAreReadAtOnceAndEachHasItsAnswer) {
    net.answers = {answer(200, R"({"items":[{"a":1}]})"), answer(404, "404 page not found\n")};
    const std::array reads{read_of("/apis/traefik.io"),
                           Read{.path = "/apis/x", .what_for = "reading it", .accept = "text/plain"}};
    const auto found = client.read_all(reads);
    EXPECT_EQ(sent(1).target, "/apis/x");
    EXPECT_EQ(sent_header("Accept", 1), "text/plain");
    EXPECT_EQ(found[0].value().at("items")[0], Json({{"a", 1}}));
    EXPECT_EQ(found[1].error->http(), 404);
}

TEST_F(ClientTest, AnAnswerThatIsNotJsonIsAnError) {
    net.answers = {answer(200, "<html><head><title>Log in</title></head></html>"), answer(200, "[1]")};
    const Outcome page = client.get_path("/version");
    EXPECT_EQ(page.error->code(), ExitCode::failed);
    EXPECT_THAT(page.error->message(), HasSubstr("not JSON"));
    EXPECT_THAT(page.error->message(), HasSubstr("Log in"));
    EXPECT_TRUE(client.get_path("/version").error);
}

}  // namespace
}  // namespace hermesctl::kube
