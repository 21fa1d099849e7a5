// A Job that is needed for a moment. It goes with this object, and by its own deadline where the process is
// killed. Its pod is either asked over exec while it runs, or runs to its end.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/report.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hermesctl::hermes {

/// The file of manifests/ as a Job of an instance, with a name that no other has: "hermes-twin-a1b2c3".
/// `agent`: the spec of the agent's pod; this one may run where that may, and its image is pulled likewise.
Json throwaway_job(std::string_view file, const Names&, const Json& agent);
/// The image that the agent's container has there: the node has it.
Json agent_image(const Json& agent);

class ThrowawayJob {
  public:
    /// Makes it. Throws ApiError. Where it is not known whether it was made (an interrupt, no answer), none
    /// is left behind either.
    ThrowawayJob(kube::Client&, const Json& job);
    ~ThrowawayJob() { remove(); }
    ThrowawayJob(const ThrowawayJob&) = delete;
    ThrowawayJob& operator=(const ThrowawayJob&) = delete;

    /// Its pod; null while there is none. Throws ApiError.
    Json pod();
    /// How the pod's container ended; null when it did not, by the Job's deadline. `each_round` sees the pod,
    /// and may throw. Throws ApiError.
    Json wait_for_end(Reporter&, const std::function<void(const Json& pod)>& each_round);

  private:
    void remove() noexcept;

    kube::Client& client_;
    kube::Ref ref_;
    Clock::Duration deadline_;
    std::string uid_{};  // of what was made: another one of this name stays
};

/// One whose pod is asked, as far as it comes about: what the server refuses is no error.
class AskedJob {
  public:
    /// `what`: how it is called in front of people.
    AskedJob(kube::Client&, const Json& job, std::string what, Clock::Duration to_start);

    /// Its pod once that runs; null before, and when it never will (why_not() then says why).
    Json running_pod();
    const std::string& why_not() const { return why_not_; }

  private:
    /// Why it will not run; "" while it may.
    std::string trouble_of(const Json& pod) const;

    Clock& clock_;
    std::string what_;
    Clock::Time until_;
    std::optional<ThrowawayJob> job_{};
    std::string why_not_{};
};

}  // namespace hermesctl::hermes
