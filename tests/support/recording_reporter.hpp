// Keeps every event, for tests that look at the story.
#pragma once

#include "hermesctl/base/report.hpp"

#include <vector>

namespace hermesctl::testing {

class RecordingReporter : public Reporter {
  public:
    void on(const Event& event) override { events.push_back(event); }
    void tick() override { ++ticks; }

    std::vector<Event> events{};
    int ticks = 0;
};

}  // namespace hermesctl::testing
