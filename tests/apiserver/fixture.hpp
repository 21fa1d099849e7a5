// A namespace of its own for each test, and clients of the real API server.
#pragma once

#include "apiserver/api_server.hpp"
#include "support/session.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace hermesctl::testing {

class ApiserverTest : public ::testing::Test {
  protected:
    void SetUp() override;

    kube::Client& client() { return admin->client; }
    kube::Json config_map(const kube::Json& data, const std::string& name = "settings") const;
    kube::Ref config_ref(const std::string& name = "settings") const { return {"ConfigMap", ns, name}; }
    /// The live object; fails the test when it is missing.
    kube::Json live(const kube::Ref&);
    std::string version(const kube::Ref&);

    ApiServer* server = nullptr;
    std::unique_ptr<Session> admin{};
    std::string ns{};
};

}  // namespace hermesctl::testing
