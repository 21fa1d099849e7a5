#include "drain.hpp"

#include "hermesctl/hermes/wait.hpp"

#include <fmt/format.h>

namespace hermesctl::cli {

void drain(Session& session, const hermes::Names& names, std::chrono::milliseconds at_most,
           hermes::HeldLease* lease) {
    using namespace std::chrono_literals;
    const auto end = session.clock().now() + at_most;
    bool told = false;
    while (true) {
        const auto agent = hermes::glance(session.client(), names).snapshot.agent;
        if (!agent || !agent->alive || agent->busy == 0) break;
        if (session.clock().now() >= end) {
            session.story().on({"drain", "agent", State::warning, "still busy; its turn is cut off"});
            return;
        }
        session.story().on(
            {"drain", "agent", State::waiting, fmt::format("busy with {} turn(s)", agent->busy)});
        told = true;
        if (lease != nullptr) lease->renew_if_due();
        session.clock().sleep(1s);
    }
    if (told) session.story().on({"drain", "agent", State::done, "idle"});
}

}  // namespace hermesctl::cli
