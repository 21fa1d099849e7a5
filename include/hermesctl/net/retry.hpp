// When a failed exchange is worth another try, and how long to wait before it: client-go's rules
// (rest/with_retry.go): 429 and 5xx that carry Retry-After; transport failures only where repeating is safe.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/net/http.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>

namespace hermesctl::net {

/// The wait before try `attempt + 1` (attempts count from 1); nothing when it should not be tried again.
/// Pure.
std::optional<std::chrono::milliseconds> next_delay(const Request&, const Response&, int attempt);

/// exchange(), with the failed ones tried again; only the last answer to each is taken.
void exchange_retrying(Transport&, Clock&, std::span<const Request>, const Take&);

/// Transport::upgrade(), tried again by the same rules until `end`, and for a few seconds where the server
/// does not get to the kubelet ("error dialing backend"): before the server's yes nothing runs.
Upgrade upgrade_retrying(Transport&, Clock&, Request, std::span<const std::string> protocols,
                         Clock::Time end);

}  // namespace hermesctl::net
