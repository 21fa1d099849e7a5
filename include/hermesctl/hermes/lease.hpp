// One hermesctl at a time: a coordination.k8s.io Lease beside the installation.
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace hermesctl::hermes {

/// After its last renewal.
inline constexpr std::chrono::seconds lease_lapse{30};

class HeldLease {
  public:
    /// Takes it as this_holder(). Throws Error{failed} naming the holder while another one holds it. Without
    /// the right to use leases: says so to the reporter and goes on without.
    HeldLease(kube::Client&, const Names&, Reporter&);
    /// Gives it up; nothing that fails there is reported.
    ~HeldLease();
    HeldLease(const HeldLease&) = delete;
    HeldLease& operator=(const HeldLease&) = delete;

    /// False where leases are not allowed.
    bool held() const { return !lease_.is_null(); }
    /// Renews it when a third of its time has passed. Throws as renew() does.
    void renew_if_due();
    /// Renews it now: after a wait in which it may have lapsed, say. Throws Error{failed} when it was lost:
    /// somebody took it over, or it is gone.
    void renew();
    /// Gives it back. What the server does not do is not reported: it lapses by itself.
    void give_up();

  private:
    void take(Reporter&);
    std::optional<kube::Json> find_unheld(Reporter&);
    void recover();

    kube::Client& client_;
    kube::Ref ref_;
    kube::Json lease_{};  // null: it is not held
    Clock::Time renewed_{};
};

/// "user@host (pid 42)" of this process.
std::string this_holder();

}  // namespace hermesctl::hermes
