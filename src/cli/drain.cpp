#include "drain.hpp"

#include "hermesctl/hermes/wait.hpp"

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using namespace std::chrono_literals;

Event event(State state, std::string detail) {
    return {.phase = "drain", .subject = "agent", .state = state, .detail = std::move(detail)};
}

Event unknown(const std::string& why) {
    return event(State::warning,
                 fmt::format("whether it is busy is not known: {}; a turn may be cut off", why));
}

}  // namespace

void drain(Session& session, const hermes::Names& names, std::chrono::milliseconds at_most,
           hermes::HeldLease* lease) {
    const auto end = session.clock().now() + at_most;
    bool told = false;
    while (true) {
        const hermes::Glance now = hermes::glance(session.client(), names);
        const auto& agent = now.snapshot.agent;
        const std::string& failure = now.snapshot.exec_failure;
        const bool idle = agent && (!agent->alive || agent->busy == 0);
        if (idle || !now.assessment.running) {
            if (told) session.story().on(event(State::done, idle ? "idle" : "its container has ended"));
            return;
        }
        // Later it may be a server that has just started.
        if (now.snapshot.exec_denied && !told) return session.story().on(unknown(failure));
        if (session.clock().now() >= end)
            return session.story().on(agent ? event(State::warning, "still busy; its turn is cut off")
                                            : unknown(failure));
        session.story().on(event(State::waiting, agent ? fmt::format("busy with {} turn(s)", agent->busy)
                                                       : "it cannot be asked: " + failure));
        told = true;
        if (lease != nullptr) lease->renew_if_due();
        session.clock().sleep(1s);
    }
}

}  // namespace hermesctl::cli
