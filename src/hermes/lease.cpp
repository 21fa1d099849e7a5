#include "hermesctl/hermes/lease.hpp"

#include <array>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::Json;
using kube::text_at;

constexpr auto lapse = 30s;
constexpr auto patience_at_the_end = 2s;  // after Ctrl-C nobody wants to wait for a dead network

bool is_held(const Json& lease, Clock::Wall now) {
    if (text_at(lease, "/spec/holderIdentity").empty()) return false;
    return now - parse_rfc3339(text_at(lease, "/spec/renewTime")) < lapse;
}

Error held_by(const Json& lease) {
    return Error(ExitCode::failed,
                 fmt::format("another hermesctl works on this installation: {}, since {}",
                             text_at(lease, "/spec/holderIdentity"),
                             text_at(lease, "/spec/acquireTime").substr(0, 19)),
                 "wait until it has ended; a killed one lapses after 30 s");
}

}  // namespace

std::string this_holder() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    const passwd* user = ::getpwuid(::getuid());
    return fmt::format("{}@{} (pid {})", user == nullptr ? "?" : user->pw_name, host.data(), ::getpid());
}

HeldLease::HeldLease(kube::Client& client, const Names& names, std::string holder, Reporter& reporter)
    : client_(client), ref_(names.lease()) {
    take(holder, reporter);
}

void HeldLease::take(const std::string& holder, Reporter& reporter) {
    const auto now = rfc3339(client_.clock().wall());
    const Json spec{{"holderIdentity", holder},
                    {"leaseDurationSeconds", lapse.count()},
                    {"acquireTime", now},
                    {"renewTime", now}};
    kube::Outcome outcome;
    try {
        if (auto found = client_.get(ref_)) {
            if (is_held(*found, client_.clock().wall())) throw held_by(*found);
            (*found)["spec"] = spec;
            outcome = client_.replace(*found);
        } else {
            outcome = client_.create(Json{{"apiVersion", "coordination.k8s.io/v1"},
                                          {"kind", "Lease"},
                                          {"metadata", {{"name", ref_.name}, {"namespace", ref_.ns}}},
                                          {"spec", spec}});
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
    } else if (outcome.error->http() == 409) {
        throw Error(ExitCode::failed, "another hermesctl has just begun to work on this installation",
                    "run this again when it has ended");
    } else {
        throw *outcome.error;
    }
}

HeldLease::~HeldLease() {
    if (lease_.is_null()) return;
    try {
        client_.remove(ref_, {.uid = text_at(lease_, "/metadata/uid"),
                              .resource_version = text_at(lease_, "/metadata/resourceVersion"),
                              .timeout = patience_at_the_end});
    } catch (const std::exception&) {  // unreachable, or interrupted once more: it lapses
    }
}

void HeldLease::renew_if_due() {
    if (lease_.is_null() || client_.clock().now() - renewed_ < lapse / 3) return;
    lease_["spec"]["renewTime"] = rfc3339(client_.clock().wall());
    const kube::Outcome outcome = client_.replace(lease_);
    if (outcome.object) lease_ = *outcome.object;
    if (outcome.error && outcome.error->http() == 409) {
        const auto other = client_.get(ref_);
        lease_ = Json();
        throw held_by(other.value_or(Json()));
    }
    renewed_ = client_.clock().now();  // after a failure too: the next try comes in time
}

}  // namespace hermesctl::hermes
