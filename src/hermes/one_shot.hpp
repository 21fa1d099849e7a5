// A pod that is asked one thing over exec and goes: verify's twin, and the one in which new values are tried.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace hermesctl::hermes {

/// What such a pod takes over from the spec of the agent's: where it may run, and how its image is pulled. It
/// has no token, no volume and no variable.
Json spec_beside(const Json& agent_spec);
/// As policies that select the agent by its name see it. Without the hash of a template, so that no
/// ReplicaSet takes it for its own.
Json labels_beside(const Names&, std::string_view component);
/// The image that the agent's container has there, which the node has.
Json agent_image(const Json& agent_spec);
/// Sleeps until it is asked, as nobody and without rights, with the Python of the agent's image.
Json idle_container(std::string_view name, const Json& image, std::chrono::seconds longest);
/// Its Job, which ends by a deadline and goes by itself, should nobody be left to remove it.
Json one_shot_job(const Names&, const std::string& name, const Json& labels, const Json& spec,
                  std::chrono::seconds longest);

/// Makes a Job; it goes with this.
class OneShot {
  public:
    /// `what`: how it is called in front of people. Throws nothing for what the server refuses.
    OneShot(kube::Client&, const Json& job, std::string what, std::chrono::seconds to_start);
    ~OneShot();
    OneShot(const OneShot&) = delete;
    OneShot& operator=(const OneShot&) = delete;

    /// The name of its pod once that runs; "" before, and when it never will (why_not() then says why).
    std::string running_pod();
    const std::string& why_not() const { return why_not_; }

  private:
    std::string give_up(const std::string& why);

    kube::Client& client_;
    kube::Ref ref_;
    std::string what_;
    Clock::Time until_;
    bool made_ = false;
    std::string waits_for_{};
    std::string why_not_{};
};

}  // namespace hermesctl::hermes
