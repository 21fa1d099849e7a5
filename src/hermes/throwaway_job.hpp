// A Job that is needed for a moment. It goes with this object, and by its own deadline where the process is
// killed.
#pragma once

#include "hermesctl/kube/client.hpp"

#include <string>

namespace hermesctl::hermes {

/// The file of manifests/ as a Job of an instance, with a name that no other has: "hermes-twin-a1b2c3".
kube::Json throwaway_job(std::string_view manifest, const std::string& ns, const std::string& instance);

class ThrowawayJob {
  public:
    /// Makes it. Throws ApiError. Where it is not known whether it was made (an interrupt, no answer), none
    /// is left behind either.
    ThrowawayJob(kube::Client&, const kube::Json& job);
    ~ThrowawayJob() { remove(); }
    ThrowawayJob(const ThrowawayJob&) = delete;
    ThrowawayJob& operator=(const ThrowawayJob&) = delete;

    /// Its pod; null while there is none. Throws ApiError.
    kube::Json pod();

  private:
    void remove() noexcept;

    kube::Client& client_;
    kube::Ref ref_;
    std::string uid_{};  // of what was made: another one of this name stays
};

}  // namespace hermesctl::hermes
