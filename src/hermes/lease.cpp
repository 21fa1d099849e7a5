#include "hermesctl/hermes/lease.hpp"

#include <array>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::Json;
using kube::text_at;

// A busy server may take a while; after Ctrl-C, or an error, nobody wants to wait for a dead network.
constexpr std::chrono::milliseconds patience_at_the_end{10'000};
constexpr std::chrono::milliseconds patience_after_failure{2'000};
// No two clocks are that far apart: since then nobody has renewed it.
constexpr auto abandoned = 5min;

std::string holder_of(const Json& lease) {
    return text_at(lease, "/spec/holderIdentity");
}

Error held_by(const Json& lease) {
    return Error(ExitCode::failed,
                 fmt::format("another hermesctl works on this installation: {}, since {}", holder_of(lease),
                             text_at(lease, "/spec/acquireTime").substr(0, 19)),
                 "wait until it has ended; a killed one lapses in a minute at most");
}

}  // namespace

std::string this_holder() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    const passwd* user = ::getpwuid(::getuid());
    return fmt::format("{}@{} (pid {})", user == nullptr ? "?" : user->pw_name, host.data(), ::getpid());
}

HeldLease::HeldLease(kube::Client& client, const Names& names, Reporter& reporter)
    : client_(client), ref_(names.lease()) {
    take(reporter);
}

/// The Lease, once nobody holds it; nothing where there is none. The clocks of two machines differ, so one
/// that looks neither fresh nor abandoned is watched for as long as it lasts: who lives renews it.
std::optional<Json> HeldLease::find_unheld(Reporter& reporter) {
    auto lease = client_.get(ref_);
    if (!lease || holder_of(*lease).empty()) return lease;
    const auto age = client_.clock().wall() - parse_rfc3339(text_at(*lease, "/spec/renewTime"));
    if (std::chrono::abs(age) < lease_lapse) throw held_by(*lease);
    if (age > abandoned) return lease;
    reporter.on(
        {"lease", title(ref_), State::waiting,
         fmt::format("watching for {} s whether {} still lives", lease_lapse.count(), holder_of(*lease))});
    const std::string seen = text_at(*lease, "/metadata/resourceVersion");
    const auto end = client_.clock().now() + lease_lapse;
    while (client_.clock().now() < end) {
        client_.clock().sleep(1s);
        reporter.tick();
        lease = client_.get(ref_);
        if (!lease || holder_of(*lease).empty()) break;
        if (text_at(*lease, "/metadata/resourceVersion") != seen) throw held_by(*lease);
    }
    reporter.on({"lease", title(ref_), State::done, "it has lapsed"});
    return lease;
}

void HeldLease::take(Reporter& reporter) {
    const Json none{{"apiVersion", "coordination.k8s.io/v1"},
                    {"kind", "Lease"},
                    {"metadata", {{"name", ref_.name}, {"namespace", ref_.ns}}}};
    const auto claimed = [&](Json lease) {
        const auto now = rfc3339(client_.clock().wall());
        lease["spec"] = {{"holderIdentity", this_holder()},
                         {"leaseDurationSeconds", lease_lapse.count()},
                         {"acquireTime", now},
                         {"renewTime", now}};
        return lease;
    };
    kube::Outcome outcome;
    try {
        outcome = client_.create(claimed(none));  // as a rule there is none
        const int refused = outcome.error ? outcome.error->http() : 0;
        if (refused == 409 || refused == 403) {  // 403: of a quota, say, whether there is one or not
            const auto lease = find_unheld(reporter);
            if (lease) {
                outcome = client_.replace(claimed(*lease));
            } else if (refused == 409) {
                outcome = client_.create(claimed(none));
            }
        }
    } catch (const kube::ApiError& error) {
        if (error.code() != ExitCode::denied) throw;
        outcome.error = error;
    }
    if (outcome.object) {
        lease_ = *outcome.object;
        renewed_ = client_.clock().now();
    } else if (outcome.error->code() == ExitCode::denied) {
        reporter.on({"lease", title(ref_), State::warning,
                     "leases are not allowed, so nothing keeps a second hermesctl out"});
    } else if (outcome.error->http() == 403) {  // a quota, or a namespace that is being deleted
        reporter.on({"lease", title(ref_), State::warning,
                     fmt::format("nothing keeps a second hermesctl out: {}", outcome.error->message())});
    } else if (outcome.error->http() == 409) {
        throw Error(ExitCode::failed, "another hermesctl has just begun to work on this installation",
                    "run this again when it has ended");
    } else {
        throw *outcome.error;
    }
}

HeldLease::~HeldLease() {
    try {
        give_up();
    } catch (const std::exception&) {  // interrupted once more: it lapses
    }
}

void HeldLease::give_up() {
    if (lease_.is_null()) return;
    const Json lease = std::exchange(lease_, Json());
    try {
        client_.remove(
            ref_, {.uid = text_at(lease, "/metadata/uid"),
                   .resource_version = text_at(lease, "/metadata/resourceVersion"),
                   .timeout = std::uncaught_exceptions() > 0 ? patience_after_failure : patience_at_the_end});
    } catch (const kube::ApiError&) {
        return;
    }
}

void HeldLease::renew_if_due() {
    if (client_.clock().now() - renewed_ >= lease_lapse / 3) renew();
}

void HeldLease::renew() {
    if (lease_.is_null()) return;
    lease_["spec"]["renewTime"] = rfc3339(client_.clock().wall());
    const kube::Outcome outcome = client_.replace(lease_);
    renewed_ = client_.clock().now();  // after a failure too: the next try comes in time
    if (outcome.object) {
        lease_ = *outcome.object;
    } else if (outcome.not_found() || outcome.error->http() == 409) {
        recover();
    }
}

/// It is not as we left it. Still ours where the answer to a renewal was lost, or where somebody labelled it.
void HeldLease::recover() {
    const auto found = client_.get(ref_);
    const Json ours = std::exchange(lease_, Json());
    if (!found || holder_of(*found).empty()) {
        throw Error(ExitCode::failed, title(ref_) + " is gone: another hermesctl was at work meanwhile",
                    "run this again: it goes on from what is there now");
    }
    const bool same_holder = holder_of(*found) == holder_of(ours);
    if (!same_holder || text_at(*found, "/spec/acquireTime") != text_at(ours, "/spec/acquireTime"))
        throw held_by(*found);
    lease_ = *found;
}

}  // namespace hermesctl::hermes
