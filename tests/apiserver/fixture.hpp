// A namespace of its own for each test, and clients of the real API server.
#pragma once

#include "apiserver/api_server.hpp"
#include "hermesctl/kube/client.hpp"
#include "support/recording_reporter.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace hermesctl::testing {

/// A connection as somebody, with all that it needs.
struct Session {
    explicit Session(const net::Endpoint& endpoint)
        : transport(net::make_curl_transport(endpoint, system_clock())) {}

    std::unique_ptr<net::Transport> transport;
    RecordingReporter reporter{};
    kube::Client client{*transport, system_clock(), reporter};
};

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
