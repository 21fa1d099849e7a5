// The wait of deploy, restart, start and wait: until the bot answers, or until it is known why it does not.
#pragma once

#include "hermesctl/hermes/diagnosis.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace hermesctl::hermes {

struct WaitOptions {
    Clock::Duration timeout{std::chrono::minutes{10}};  // rests while an image is pulled
    Clock::Duration pull_limit{std::chrono::minutes{60}};
    Clock::Duration patience{std::chrono::seconds{60}};  // for what may heal by itself
    std::function<void()> each_round{};                  // e.g. to renew a lease
};

/// Why a wait ended without an answer: Error{failed}, or Error{timeout}.
class NotAnswering : public Error {
  public:
    NotAnswering(const Error& error, Trouble trouble) : Error(error), trouble_(std::move(trouble)) {}
    /// Where the time was up and nothing is known to be wrong: of kind "startup" if the container runs, else
    /// of none.
    const Trouble& trouble() const noexcept { return trouble_; }

  private:
    Trouble trouble_;
};

/// Watches the Deployment, its ReplicaSets, pods, claim and events, and asks the agent over exec, all in one
/// thread. Returns the pod that answers. Throws NotAnswering: failed (with the cause, as soon as it is
/// certain), timeout; Error: denied, unreachable (nothing was heard of the server for the whole patience),
/// interrupted.
std::string wait_until_answers(kube::Client&, const Names&, const WaitOptions&, Reporter&);

/// No pod is there any more that the label app=NAME selects, but for those that have ended and stay (evicted,
/// say); `each_pod` gets each of the others, once. Throws Error{timeout} naming what is left.
void wait_until_no_pods(kube::Client&, const Names&, Clock::Duration timeout, Reporter&,
                        const std::function<void()>& each_round = {},
                        const std::function<void(const kube::Json& pod)>& each_pod = {});

/// The same watches once, without waiting: for status.
struct Glance {
    Snapshot snapshot{};
    Assessment assessment{};
};
Glance glance(kube::Client&, const Names&);

}  // namespace hermesctl::hermes
