// Exchanges whose answers are all that is wanted.
#pragma once

#include "hermesctl/net/retry.hpp"

#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace hermesctl::net {

/// In the requests' order.
inline std::vector<Response> exchange(Transport& transport, std::span<const Request> requests) {
    std::vector<Response> answers(requests.size());
    std::vector<std::size_t> all(requests.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    exchange(transport, requests, all,
             [&](std::size_t i, Response answer) { answers[i] = std::move(answer); });
    return answers;
}

inline std::vector<Response> exchange_retrying(Transport& transport, Clock& clock,
                                               std::span<const Request> requests) {
    std::vector<Response> answers(requests.size());
    exchange_retrying(transport, clock, requests,
                      [&](std::size_t i, Response answer) { answers[i] = std::move(answer); });
    return answers;
}

inline Response send(Transport& transport, const Request& request) {
    return std::move(exchange(transport, {&request, 1}).front());
}

}  // namespace hermesctl::net
