// A real connection as somebody, with all that it needs.
#pragma once

#include "hermesctl/kube/client.hpp"
#include "hermesctl/net/curl.hpp"
#include "support/recording_reporter.hpp"

#include <memory>

namespace hermesctl::testing {

struct Session {
    explicit Session(const net::Endpoint& endpoint)
        : transport(net::make_curl_transport(endpoint, system_clock())) {}

    std::unique_ptr<net::Transport> transport;
    RecordingReporter reporter{};
    kube::Client client{*transport, system_clock(), reporter};
};

}  // namespace hermesctl::testing
