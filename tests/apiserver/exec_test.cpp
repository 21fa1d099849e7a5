// Commands that a real API server refuses. (One that runs needs a node: tests/e2e.)
#include "hermesctl/kube/exec.hpp"

#include "apiserver/fixture.hpp"

#include <gmock/gmock.h>

namespace hermesctl::kube {
namespace {

using ::testing::HasSubstr;

struct ExecTest : testing::ApiserverTest {
    ExecRequest request() const {
        return {.ns = ns, .pod = "hermes-0", .container = "agent", .argv = {"true"}};
    }
    static ApiError refusal_of(testing::Session& session, const ExecRequest& request) {
        try {
            ExecSession exec(*session.transport, request);
        } catch (const ApiError& error) {
            return error;
        }
        ADD_FAILURE() << "not refused";
        return {{.status = 500}, ""};
    }
};

TEST_F(ExecTest, AMissingPodIsRefusedBeforeTheUpgrade) {
    const ApiError error = refusal_of(*admin, request());
    EXPECT_EQ(error.http(), 404);
    EXPECT_THAT(error.message(), HasSubstr("pods \"hermes-0\" not found"));
}

TEST_F(ExecTest, AUserWithoutRightsIsDenied) {
    testing::Session nobody(server->nobody());
    const ApiError error = refusal_of(nobody, request());
    EXPECT_EQ(error.code(), ExitCode::denied);
    EXPECT_THAT(error.message(), HasSubstr("pods/exec"));
}

TEST_F(ExecTest, TheConnectionServesOnAfterARefusal) {
    refusal_of(*admin, request());
    EXPECT_TRUE(client().get({"Namespace", "", ns}));
}

}  // namespace
}  // namespace hermesctl::kube
