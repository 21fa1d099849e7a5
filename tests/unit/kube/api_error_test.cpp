// What refusals mean, whatever their body is.
#include "hermesctl/kube/client.hpp"
#include "support/fake_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

using testing::answer;
using ::testing::HasSubstr;
using testing::no_answer;
using ::testing::Not;
using testing::refusal;

ApiError error_of(const net::Response& response) {
    return {response, "applying deployment/hermes"};
}

TEST(ApiErrorTest, NoAnswerIsUnreachable) {
    const ApiError error = error_of(no_answer("connection refused"));
    EXPECT_EQ(error.code(), ExitCode::unreachable);
    EXPECT_EQ(error.http(), 0);
    EXPECT_EQ(error.message(), "cannot reach the API server: connection refused");
    EXPECT_EQ(error.trail(), std::vector<std::string>{"applying deployment/hermes"});
    EXPECT_THAT(error.hint(), HasSubstr("kubectl config view --minify"));
}

TEST(ApiErrorTest, RefusedCredentialsComeWithWhatToType) {
    EXPECT_THAT(error_of(refusal(401, "Unauthorized", "Unauthorized")).hint(),
                HasSubstr("--kubeconfig FILE"));
}

TEST(ApiErrorTest, HalfAnAnswerIsNone) {
    net::Response half = answer(200, "{\"ki");
    half.failure = "connection reset";
    EXPECT_EQ(error_of(half).http(), 0);
    EXPECT_EQ(error_of(half).message(), "the API server did not answer: connection reset");
}

TEST(ApiErrorTest, CodesOfTheCommandLine) {
    EXPECT_EQ(error_of(refusal(401, "Unauthorized", "Unauthorized")).code(), ExitCode::denied);
    EXPECT_EQ(error_of(refusal(403, "Forbidden", "no")).code(), ExitCode::denied);
    EXPECT_EQ(error_of(refusal(504, "Timeout", "slow")).code(), ExitCode::timeout);
    EXPECT_EQ(error_of(refusal(500, "ServerTimeout", "slow")).code(), ExitCode::timeout);
    EXPECT_EQ(error_of(answer(504, "<html>")).code(), ExitCode::timeout);
    EXPECT_EQ(error_of(refusal(422, "Invalid", "bad")).code(), ExitCode::failed);
    EXPECT_EQ(error_of(answer(503, "")).code(), ExitCode::failed);
}

TEST(ApiErrorTest, ARefusalThatIsNoMatterOfRightsIsAFailureWithWhatToType) {
    const auto forbidden = [](const std::string& why) { return error_of(refusal(403, "Forbidden", why)); };
    for (
        const auto& [why, hint] :
        {std::pair{
             R"(secrets "x" is forbidden: unable to create new content in namespace hermes because it is being terminated)",
             "kubectl get namespaces"},
         std::pair{
             R"(persistentvolumeclaims "x" is forbidden: exceeded quota: q, requested: requests.storage=5Gi)",
             "kubectl get resourcequota"},
         std::pair{
             R"(persistentvolumeclaims "x" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize)",
             "kubectl get storageclass"},
         std::pair{R"(pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true)",
                   ""},
         std::pair{R"(admission webhook "policy.example" denied the request: no)", ""}}) {
        EXPECT_EQ(forbidden(why).code(), ExitCode::failed) << why;
        EXPECT_THAT(forbidden(why).hint(), ::testing::StartsWith(hint));
    }
    for (
        const char* rights :
        {R"(secrets "x" is forbidden: User "bob" cannot get resource "secrets" in API group "" in the namespace "hermes")",
         R"(forbidden: User "system:anonymous" cannot get path "/api")", "<html>403 Forbidden</html>"}) {
        EXPECT_EQ(forbidden(rights).code(), ExitCode::denied) << rights;
        EXPECT_EQ(forbidden(rights).hint(), "");
    }
}

TEST(ApiErrorTest, ABodyOfPlainTextIsQuoted) {
    EXPECT_EQ(error_of(answer(429, "Too many requests,\n please try again later.\n")).message(),
              "the server answered HTTP 429: Too many requests, please try again later.");
}

TEST(ApiErrorTest, AnHtmlPageIsItsTitle) {
    const std::string page =
        "<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>";
    EXPECT_EQ(error_of(answer(502, page)).message(), "the server answered HTTP 502: 502 Bad Gateway");
    EXPECT_EQ(error_of(answer(502, "<p>Bad <b>gateway</b></p>")).message(),
              "the server answered HTTP 502: Bad gateway");
}

TEST(ApiErrorTest, AnEmptyOrEndlessBodyIsNoTrouble) {
    EXPECT_EQ(error_of(answer(503, "")).message(), "the server answered HTTP 503");
    EXPECT_LT(error_of(answer(500, std::string(1'000'000, 'x'))).message().size(), 400u);
    EXPECT_EQ(error_of(answer(404, R"({"error":"nope"})")).message(),
              R"(the server answered HTTP 404: {"error":"nope"})");
}

TEST(ApiErrorTest, OnlyTheApiServersOwnNotFoundIsOne) {
    EXPECT_TRUE(error_of(refusal(404, "NotFound", "pods \"a\" not found")).is_not_found());
    EXPECT_EQ(error_of(refusal(404, "NotFound", "pods \"a\" not found")).hint(), "");
    EXPECT_FALSE(error_of(answer(404, "404 page not found\n")).is_not_found());
    EXPECT_THAT(error_of(answer(404, "404 page not found\n")).hint(), HasSubstr("base path"));
    EXPECT_THAT(error_of(answer(200, "<title>Log in</title>")).hint(), HasSubstr("base path"));
    EXPECT_EQ(error_of(refusal(422, "Invalid", "bad")).hint(), "");
}

TEST(ApiErrorTest, AFieldConflictNamesItsOwners) {
    net::Response conflict = answer(409, R"({"kind":"Status","reason":"Conflict","code":409,
        "message":"Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas",
        "details":{"causes":[{"reason":"FieldManagerConflict",
            "message":"conflict with \"kubectl-edit\" using apps/v1","field":".spec.replicas"}]}})");
    const ApiError error = error_of(conflict);
    EXPECT_TRUE(error.is_field_conflict());
    EXPECT_EQ(error.code(), ExitCode::failed);
    ASSERT_EQ(error.causes().size(), 1u);
    EXPECT_EQ(error.causes()[0].field, ".spec.replicas");
    EXPECT_THAT(error.causes()[0].message, HasSubstr("kubectl-edit"));
}

TEST(ApiErrorTest, TheOtherConflictsAreNoFieldConflicts) {
    const ApiError outdated = error_of(refusal(409, "Conflict", "the object has been modified"));
    EXPECT_FALSE(outdated.is_field_conflict());
    EXPECT_EQ(outdated.reason(), "Conflict");
    EXPECT_THAT(outdated.hint(), HasSubstr("somebody else"));
    const ApiError exists = error_of(refusal(409, "AlreadyExists", "already exists"));
    EXPECT_FALSE(exists.is_field_conflict());
    EXPECT_EQ(exists.reason(), "AlreadyExists");
    EXPECT_THAT(exists.hint(), HasSubstr("somebody else"));
}

TEST(ApiErrorTest, TokensInForeignTextAreMasked) {
    const ApiError error = error_of(answer(500, "sent Authorization: Bearer abcdefghijklmnop0123456789"));
    EXPECT_THAT(error.message(), Not(HasSubstr("abcdefghijklmnop0123456789")));
}

}  // namespace
}  // namespace hermesctl::kube
