// A policy that is there already: whose rules are whose, what they open in words, and what they know of a
// cluster that may not be read now.
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/label_selector.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "ranges.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

std::string fingerprint(const Json& rule) {
    return sha256_hex(rule.dump()).substr(0, 16);
}

bool all_ports_among(const Json& rule, std::initializer_list<int> allowed) {
    const Json& ports = at(rule, "/ports");
    return ports.is_array() && !ports.empty() &&
           std::all_of(ports.begin(), ports.end(), [&](const Json& port) {
               return !port.contains("endPort") &&
                      std::find(allowed.begin(), allowed.end(), kube::int_at(port, "/port")) != allowed.end();
           });
}

/// The guide's first rule: port 53 of everybody.
bool is_dns_to_all(const Json& rule) {
    return at(rule, "/to").empty() && all_ports_among(rule, {53});
}

/// The guide's second rule and ours, in whatever edition: 443 and 80 of the world less something.
bool is_internet(const Json& rule) {
    const Json& to = at(rule, "/to");
    return to.is_array() && !to.empty() && all_ports_among(rule, {443, 80}) &&
           std::all_of(to.begin(), to.end(), [](const Json& peer) {
               const std::string cidr = text_at(peer, "/ipBlock/cidr");
               return cidr == everything_v4 || cidr == everything_v6;
           });
}

/// Also one that deploy made of several.
bool is_special(const Range& range) {
    static const std::vector<Range> all = [] {
        std::vector<Range> ranges;
        for (const auto* list : {&special_ranges_v4(), &special_ranges_v6()}) {
            for (const std::string& text : *list)
                ranges.push_back(*parse_range(text));
        }
        return minimal(std::move(ranges));
    }();
    return std::ranges::any_of(all, [&](const Range& one) { return one.contains(range); });
}

/// Fingerprints of the rules that deploy wrote.
class Record {
  public:
    explicit Record(const Json& policy) : text_(text_at(policy, "/metadata/annotations/hermesctl~1rules")) {}
    bool has(const Json& rule) const { return text_.find(fingerprint(rule)) != std::string::npos; }

  private:
    std::string text_;
};

void keep_exceptions(const Json& rule, ClusterFacts& cluster) {
    for (const Json& peer : at(rule, "/to")) {
        if (text_at(peer, "/ipBlock/cidr") == everything_v6) cluster.v6_before = true;
        for (const Json& range : at(peer, "/ipBlock/except"))
            cluster.closed_before.push_back(range);
    }
}

/// Our own DNS rules: the Service's pods, then the addresses before them.
void keep_dns(const Json& rule, ClusterFacts& cluster) {
    for (const Json& peer : at(rule, "/to")) {
        const Json& pods = at(peer, "/podSelector/matchLabels");
        if (!pods.empty() && (cluster.dns_selector.empty() || !cluster.dns_port_known)) {
            cluster.dns_selector = pods;
            cluster.dns_namespace =
                text_at(peer, "/namespaceSelector/matchLabels/kubernetes.io~1metadata.name");
            cluster.dns_target_ports.clear();
            for (const Json& port : at(rule, "/ports")) {
                if (text_at(port, "/protocol") == "UDP")
                    cluster.dns_target_ports.push_back(static_cast<int>(kube::int_at(port, "/port")));
            }
        }
        const std::string address = text_at(peer, "/ipBlock/cidr");
        if (!address.empty()) cluster.dns_addresses.push_back(address);
    }
}

std::string port_text(const Json& port) {
    const Json& number = at(port, "/port");
    std::string text = number.is_string() ? number.get<std::string>() : number.dump();
    if (port.contains("endPort")) text += "-" + port["endPort"].dump();
    return fmt::format("{} {}", text_at(port, "/protocol", "TCP"), number.is_null() ? "every port" : text);
}

std::string joined(const Json& list, std::string (*text)(const Json&), const char* none) {
    std::vector<std::string> parts;
    for (const Json& item : list)
        parts.push_back(text(item));
    return parts.empty() ? none : fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::string rules_record(const Json& rules) {
    std::vector<std::string> prints;
    for (const Json& rule : rules)
        prints.push_back(fingerprint(rule));
    return fmt::format("{}", fmt::join(prints, ","));
}

Json foreign_rules(const Json& live_policy) {
    const Record record(live_policy);
    Json foreign = Json::array();
    for (const Json& rule : at(live_policy, "/spec/egress")) {
        if (!record.has(rule) && !is_dns_to_all(rule) && !is_internet(rule)) foreign.push_back(rule);
    }
    return foreign;
}

std::vector<std::string> exceptions_by_hand(const Json& live_policy) {
    const Record record(live_policy);
    std::vector<std::string> found;
    for (const Json& rule : at(live_policy, "/spec/egress")) {
        if (record.has(rule) || !is_internet(rule)) continue;
        for (const Json& peer : at(rule, "/to")) {
            for (const Json& text : at(peer, "/ipBlock/except")) {
                const auto range = parse_range(text.get<std::string>());
                if (range && !is_special(*range)) found.push_back(network_of(*range, range->bits).text());
            }
        }
    }
    return found;
}

void keep_what_was_known(const Json& live_policy, ClusterFacts& cluster) {
    if (!cluster.incomplete || live_policy.is_null()) return;
    const Record record(live_policy);
    cluster.v6_before = false;
    for (const Json& rule : at(live_policy, "/spec/egress")) {
        if (is_internet(rule)) {
            keep_exceptions(rule, cluster);
        } else if (record.has(rule) && text_at(rule, "/ports/0/protocol") == "UDP") {
            keep_dns(rule, cluster);
        }
    }
}

std::string peer_text(const Json& peer) {
    if (peer.contains("ipBlock")) {
        const std::string cidr = text_at(peer, "/ipBlock/cidr");
        const Json& except = at(peer, "/ipBlock/except");
        if (except.empty()) return cidr;
        return fmt::format("{} less {}", cidr, fmt::join(except.get<std::vector<std::string>>(), ", "));
    }
    const std::string pods = selector_text(at(peer, "/podSelector"));
    const std::string spaces = selector_text(at(peer, "/namespaceSelector"));
    const std::string where = !peer.contains("namespaceSelector") ? "of this namespace"
                              : spaces.empty()                    ? "in all namespaces"
                                                                  : "in namespaces " + spaces;
    return (pods.empty() ? "all pods " : "pods " + pods + " ") + where;
}

std::string rule_text(const Json& rule) {
    return fmt::format("{} to {}", joined(at(rule, "/ports"), port_text, "every port"),
                       joined(at(rule, "/to"), peer_text, "everywhere"));
}

}  // namespace hermesctl::hermes
