// The name servers of the pod's own resolv.conf, held against what the policies open. A server that they
// close is no leak, but a bot that finds no names.
#include "hermes/inspection_parts.hpp"
#include "hermesctl/hermes/label_selector.hpp"
#include "policy_rows.hpp"
#include "ranges.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

constexpr Heading heading{"policy-resolvers", "policy", "the pod's own name servers are open to it"};

enum class Way { open, closed, unknown };

class Ways {
  public:
    explicit Ways(const PolicyPremises& premises)
        : premises_(premises), reach_(reach_of(premises)), open_(reach_.all()) {}

    Way to(const Range& server) const {
        if (in_pod(server) || is_open(Traffic(server.text(), dns_ports()))) return Way::open;
        if (!is_service(server)) return Way::closed;
        if (!premises_.neighbours.known) return Way::unknown;
        // Most networks look at a packet when its Service's address has become that of a pod.
        const Traffic behind = to_pods(server.v6);
        if (!behind.empty() && is_open(behind)) return Way::open;
        return reach_.exact() ? Way::closed : Way::unknown;
    }

  private:
    bool is_open(const Traffic& traffic) const { return (traffic - open_).empty(); }

    static bool in_pod(const Range& server) { return lies_in(server, {"127.0.0.0/8", "::1"}); }

    /// Addresses of nodes (NodeLocal DNS) stay as they are.
    bool is_service(const Range& server) const {
        return !lies_in(server, {"169.254.0.0/16"}) && lies_in(server, premises_.cluster.dns_addresses);
    }

    /// A Service's address leads to addresses of its own family.
    Traffic to_pods(bool v6) const {
        Ports ports;
        for (const int port : premises_.cluster.dns_target_ports)
            ports = ports | Ports::of(Protocol::udp, port, port) | Ports::of(Protocol::tcp, port, port);
        const Json selector{{"matchLabels", premises_.cluster.dns_selector}};
        Traffic traffic;
        for (const Json& pod : premises_.neighbours.pods) {
            const bool ours = !premises_.cluster.dns_selector.empty() &&
                              text_at(pod, "/metadata/namespace") == premises_.cluster.dns_namespace &&
                              text_at(pod, "/status/phase") == "Running" &&
                              selects(selector, at(pod, "/metadata/labels"));
            if (!ours) continue;
            for (const std::string& address : all_addresses(pod)) {
                const auto range = parse_range(address);
                if (range && range->v6 == v6) traffic = traffic | Traffic(address, ports);
            }
        }
        return traffic;
    }

    const PolicyPremises& premises_;
    Reach reach_;
    Traffic open_;
};

void judge(const Ways& ways, const std::string& server, Findings& findings) {
    const auto range = parse_range(server.substr(0, server.find('%')));  // fe80::1%eth0
    if (!range) {
        findings.unknown(fmt::format("'{}' in the pod's resolv.conf is no address", server),
                         "hermesctl exec -- cat /etc/resolv.conf");
        return;
    }
    switch (ways.to(*range)) {
        case Way::open:
            return;
        case Way::closed:
            return findings.warn(
                fmt::format("no rule opens UDP and TCP 53 of {}, which the pod's resolv.conf names", server),
                fmt::format("name {} under network.dns in your hermes.yaml, then hermesctl deploy -f FILE",
                            server));
        case Way::unknown:
            return findings.unknown(fmt::format("the pods behind {} are not known", server),
                                    "grant list on pods in all namespaces, and on namespaces");
    }
}

}  // namespace

Check check_resolvers(const PolicyPremises& policies, const Premises& pod) {
    Findings findings;
    const Json& said = at(pod.inside, "/resolvers");
    const Json& servers = at(said, "/servers");
    if (!policies.failure.empty()) {
        findings.unknown(policies.failure,
                         fmt::format("grant list on networkpolicies in namespace {}", pod.names.ns));
    } else if (looked_inside(pod, findings)) {
        if (text_at(said, "/state") != "read" || servers.empty()) {
            findings.unknown("the pod's resolv.conf names no server, or cannot be read",
                             "hermesctl exec -- cat /etc/resolv.conf");
        }
        const Ways ways(policies);
        for (const Json& server : servers) {
            if (server.is_string()) judge(ways, server, findings);
        }
    }
    std::vector<std::string> texts;
    for (const Json& server : servers) {
        if (server.is_string()) texts.push_back(server);
    }
    Check check = findings.row(heading, fmt::format("{}", fmt::join(texts, ", ")));
    check.decisive = false;  // nothing gets out by it
    return check;
}

}  // namespace hermesctl::hermes
