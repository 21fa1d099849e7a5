// Time that passes only when a test or a sleep says so.
#pragma once

#include "hermesctl/base/clock.hpp"

namespace hermesctl::testing {

class FakeClock : public Clock {
  public:
    Time now() override { return Time{} + elapsed_; }
    Wall wall() override { return Wall{std::chrono::seconds{1'750'000'000}} + elapsed_; }
    void sleep(Duration duration) override { elapsed_ += duration; }
    void advance(Duration duration) { elapsed_ += duration; }
    Duration elapsed() const { return elapsed_; }

  private:
    Duration elapsed_{0};
};

}  // namespace hermesctl::testing
