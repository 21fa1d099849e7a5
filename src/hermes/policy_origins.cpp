// Where each line of the cage's policy comes from.
#include "hermesctl/hermes/policy.hpp"
#include "ranges.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using Texts = std::vector<std::string>;

constexpr const char* foreign = "not deploy's: somebody added it, and it is kept";

struct Source {
    const char* name;
    Texts ranges;
};

/// In the order in which they are asked: the first that has a range explains it.
std::vector<Source> sources_of(const Values& values, const ClusterFacts& cluster) {
    return {{"special-purpose range (IANA)", special_ranges_v4()},
            {"special-purpose range (IANA)", special_ranges_v6()},
            {"network.except", values.network.except},
            {"a NAT64 prefix of network.nat64", values.network.nat64},
            {"pods", cluster.pod_ranges},
            {"Services", cluster.service_ranges},
            {"a node", cluster.node_addresses},
            {"the API server", cluster.api_addresses},
            {"a load balancer or an external address of a Service", cluster.balancer_addresses},
            {"closed before, when more of the cluster could be read", cluster.closed_before}};
}

/// Several may lie in one range: all of them are named.
std::string why_closed(const std::string& text, const std::vector<Source>& sources) {
    const auto range = parse_range(text);
    Texts names;
    for (const Source& source : sources) {
        const bool here = std::ranges::any_of(source.ranges, [&](const std::string& one) {
            const auto found = parse_range(one);
            return found && range && range->contains(*found);
        });
        if (here && std::ranges::find(names, source.name) == names.end()) names.emplace_back(source.name);
    }
    return names.empty() ? "added by hand" : fmt::format("{}", fmt::join(names, ", "));
}

/// What is closed behind NAT64 is so for the IPv4 address that it stands for.
std::string why_closed_behind(const std::string& text, const Values& values,
                              const std::vector<Source>& sources) {
    const auto range = parse_range(text);
    for (const std::string& prefix : values.network.nat64) {
        const auto v4 = range ? from_behind_nat64(*parse_range(prefix), *range) : std::nullopt;
        if (v4 && v4->bits > 0)
            return fmt::format("{} behind NAT64: {}", v4->text(), why_closed(v4->text(), sources));
    }
    return why_closed(text, sources);
}

bool has(const Texts& list, const std::string& range) {
    return std::ranges::any_of(list, [&](const std::string& one) {
        const auto found = parse_range(one);
        return found && found->text() == range;
    });
}

/// Of a rule of deploy's.
std::string why_open(const Json& peer, const Json& rule, const Values& values, const ClusterFacts& cluster) {
    const std::string cidr = text_at(peer, "/ipBlock/cidr");
    if (at(rule, "/ports").size() == 1) return "network.allow";  // its other rules have two
    if (cidr == everything_v4 || cidr == everything_v6)
        return "the public internet, for Telegram and the provider";
    if (cidr.empty() && at(peer, "/podSelector/matchLabels") == dns_labels(cluster)) {
        if (cluster.dns_selector.empty())
            return "the pods of the cluster's DNS, as they are usually called: its Service could not be read";
        return fmt::format("the pods of the DNS Service in {}", cluster.dns_namespace);
    }
    if (has(values.network.nat64, cidr)) return "network.nat64: the public IPv4 internet behind it";
    if (has(cluster.dns_addresses, cidr)) return "the cluster's name server";
    return "network.dns";
}

}  // namespace

std::vector<Origin> policy_origins(const Values& values, const ClusterFacts& cluster, const Json& policy) {
    const auto sources = sources_of(values, cluster);
    const Json own = egress_rules(values, cluster, Json::array());
    std::vector<Origin> origins;
    for (const Json& rule : at(policy, "/spec/egress")) {
        // As a whole: the same addresses on another port are somebody else's.
        const bool ours = std::find(own.begin(), own.end(), rule) != own.end();
        if (at(rule, "/to").empty()) origins.push_back({"open    " + rule_text(rule), foreign});
        for (const Json& peer : at(rule, "/to")) {
            Json open = peer;
            if (open.contains("ipBlock")) open["ipBlock"].erase("except");
            const Json alone{{"to", Json::array({open})}, {"ports", at(rule, "/ports")}};
            origins.push_back(
                {"open    " + rule_text(alone), ours ? why_open(peer, rule, values, cluster) : foreign});
            for (const Json& range : at(peer, "/ipBlock/except"))
                origins.push_back({"closed  " + range.get<std::string>(),
                                   ours ? why_closed_behind(range, values, sources) : foreign});
        }
    }
    return origins;
}

}  // namespace hermesctl::hermes
