// What each test starts with.
#include "apiserver/fixture.hpp"

#include "hermesctl/base/crypto.hpp"

namespace hermesctl::testing {
namespace {

struct EndOfProgram : ::testing::Environment {
    void TearDown() override { ApiServer::end(); }
};

[[maybe_unused]] const ::testing::Environment* const end_of_program =
    ::testing::AddGlobalTestEnvironment(new EndOfProgram);

}  // namespace

void ApiserverTest::SetUp() {
    server = ApiServer::instance();
    if (server == nullptr) GTEST_SKIP() << ApiServer::why_not();
    admin = std::make_unique<Session>(server->admin());
    ns = "test-" + hex(random_bytes(5));
    client().create({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns}}}}).value();
}

kube::Json ApiserverTest::config_map(const kube::Json& data, const std::string& name) const {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}, {"namespace", ns}}},
            {"data", data}};
}

kube::Json ApiserverTest::live(const kube::Ref& ref) {
    const std::optional<kube::Json> object = client().get(ref);
    EXPECT_TRUE(object) << kube::title(ref);
    return object.value_or(kube::Json());
}

std::string ApiserverTest::version(const kube::Ref& ref) {
    return kube::text_at(live(ref), "/metadata/resourceVersion");
}

}  // namespace hermesctl::testing
