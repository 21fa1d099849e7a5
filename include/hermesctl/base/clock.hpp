// Time, passed in so that tests need none of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace hermesctl {

class Clock {
  public:
    using Time = std::chrono::steady_clock::time_point;
    using Wall = std::chrono::system_clock::time_point;
    using Duration = std::chrono::milliseconds;

    virtual ~Clock() = default;
    virtual Time now() = 0;
    virtual Wall wall() = 0;
    /// Returns early when interrupted (base/interrupt.hpp).
    virtual void sleep(Duration) = 0;
};

/// The machine's clock; lives as long as the process.
Clock& system_clock();

/// From seconds since 1970, or the nearest between then and 2262, where a Wall ends: "never" is often written
/// as the year 9999. The difference between any two of these fits.
Clock::Wall wall_of(std::int64_t seconds);
/// RFC 3339 in UTC with microseconds, as Kubernetes' MicroTime ("2026-01-31T10:00:00.000000Z").
std::string rfc3339(Clock::Wall);
/// "20260131T100000Z": in a file's name.
std::string file_stamp(Clock::Wall);
/// Reads RFC 3339 with or without a fraction; the epoch when it is not a time.
Clock::Wall parse_rfc3339(const std::string&);
/// "4s", "2m10s", "3h00m", "5d"; below a minute "1500ms" where it is not whole seconds: for people.
std::string short_duration(std::chrono::milliseconds);

}  // namespace hermesctl
