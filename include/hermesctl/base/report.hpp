// What is told to a person while a command works. Producers (hermes, kube) and renderers (term) meet only
// here.
#pragma once

#include <string>

namespace hermesctl {

enum class State { info, waiting, done, unchanged, warning, failed };

/// One thing that is now in a new state. The same (phase, subject) again replaces what was said before.
struct Event {
    std::string phase{};    // "plan", "apply", "wait"
    std::string subject{};  // "deployment/hermes", "image", "telegram"
    State state = State::info;
    std::string detail{};  // why, in few words; no secrets
};

class Reporter {
  public:
    virtual ~Reporter() = default;
    virtual void on(const Event&) = 0;
    /// Called often while something is waited for; live renderers redraw.
    virtual void tick() {}
};

}  // namespace hermesctl
