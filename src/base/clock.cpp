#include "hermesctl/base/clock.hpp"

#include "hermesctl/base/interrupt.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>

#include <fmt/format.h>
#include <poll.h>

namespace hermesctl {
namespace {

class SystemClock : public Clock {
  public:
    Time now() override { return std::chrono::steady_clock::now(); }
    Wall wall() override { return std::chrono::system_clock::now(); }
    /// A signal ends poll() too, and most are no reason: a window that changes its size, say.
    void sleep(Duration duration) override {
        const Time end = now() + duration;
        for (; duration.count() > 0 && !interrupted(); duration = std::chrono::ceil<Duration>(end - now())) {
            pollfd wake{interrupt_fd(), POLLIN, 0};  // a negative descriptor is ignored by poll
            ::poll(&wake, 1, static_cast<int>(duration.count()));
        }
    }
};

}  // namespace

Clock& system_clock() {
    static SystemClock clock;
    return clock;
}

std::string rfc3339(Clock::Wall time) {
    const auto micros =
        std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
    const std::time_t seconds = static_cast<std::time_t>(micros / 1'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, micros % 1'000'000);
}

Clock::Wall wall_of(std::int64_t seconds) {
    using Seconds = std::chrono::seconds;
    constexpr auto end = std::chrono::floor<Seconds>(Clock::Wall::max().time_since_epoch());
    return Clock::Wall{std::clamp(Seconds{seconds}, Seconds{0}, end - Seconds{1})};  // and a fraction fits
}

std::string file_stamp(Clock::Wall time) {
    std::string text = rfc3339(time).substr(0, 19) + "Z";
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

Clock::Wall parse_rfc3339(const std::string& text) {
    std::tm parts{};
    const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == nullptr) return {};
    std::int64_t micros = 0;
    if (*rest == '.') {
        std::int64_t unit = 100'000;
        for (++rest; *rest >= '0' && *rest <= '9'; ++rest, unit /= 10) {
            micros += (*rest - '0') * unit;
        }
    }
    std::int64_t offset = 0;
    if (*rest == '+' || *rest == '-') {
        int hours = 0;
        int minutes = 0;
        if (std::sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2) return {};
        offset = (*rest == '-' ? -1 : 1) * (hours * 3600LL + minutes * 60LL);
    }
    return wall_of(timegm(&parts) - offset) + std::chrono::microseconds{micros};
}

std::string short_duration(std::chrono::milliseconds duration) {
    const auto all = duration.count() < 0 ? 0 : duration.count();
    const auto total = all / 1000;
    if (total < 60 && all % 1000 != 0) return fmt::format("{}ms", all);
    if (total < 60) return fmt::format("{}s", total);
    if (total < 3600) return fmt::format("{}m{:02}s", total / 60, total % 60);
    if (total < 48 * 3600) return fmt::format("{}h{:02}m", total / 3600, total % 3600 / 60);
    return fmt::format("{}d", total / 86400);
}

}  // namespace hermesctl
