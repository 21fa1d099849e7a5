// One hermesctl at a time: a coordination.k8s.io Lease beside the installation.
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <string>

namespace hermesctl::hermes {

class HeldLease {
  public:
    /// Takes it. Throws Error{failed} naming the holder while another one holds it (it lapses 30 s after its
    /// last renewal). Without the right to use leases: says so to the reporter and goes on without.
    HeldLease(kube::Client&, const Names&, std::string holder, Reporter&);
    /// Gives it back; what fails there is not reported: it lapses by itself.
    ~HeldLease();
    HeldLease(const HeldLease&) = delete;
    HeldLease& operator=(const HeldLease&) = delete;

    /// Renews it when a third of its time has passed. Throws Error{failed} when somebody took it over.
    void renew_if_due();

  private:
    void take(const std::string& holder, Reporter&);

    kube::Client& client_;
    kube::Ref ref_;
    kube::Json lease_{};
    Clock::Time renewed_{};
};

/// "user@host (pid 42)" of this process.
std::string this_holder();

}  // namespace hermesctl::hermes
