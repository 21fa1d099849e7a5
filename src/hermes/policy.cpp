// The cage's egress rules.
#include "hermesctl/hermes/policy.hpp"

#include "ranges.hpp"

#include <algorithm>

namespace hermesctl::hermes {
namespace {

Json ports_of(const std::vector<int>& ports, const std::vector<std::string>& protocols) {
    Json list = Json::array();
    for (const int port : ports) {
        for (const std::string& protocol : protocols)
            list.push_back({{"protocol", protocol}, {"port", port}});
    }
    return list;
}

Json block(const std::string& cidr) {
    return {{"ipBlock", {{"cidr", cidr}}}};
}

/// Policies see a DNS query at its pod, behind the Service's address, or (some networks) at that address.
void add_dns(Json& rules, const Values& values, const ClusterFacts& cluster) {
    const Json pods{
        {"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", cluster.dns_namespace}}}}},
        {"podSelector", {{"matchLabels", dns_labels(cluster)}}}};
    rules.push_back(
        {{"to", Json::array({pods})}, {"ports", ports_of(cluster.dns_target_ports, {"UDP", "TCP"})}});
    std::vector<Range> servers;
    for (const auto* list : {&cluster.dns_addresses, &values.network.dns}) {
        for (const std::string& address : *list) {
            if (const auto range = parse_range(address)) servers.push_back(*range);
        }
    }
    Json to = Json::array();
    for (const Range& server : outermost(servers))
        to.push_back(block(server.text()));
    if (!to.empty()) rules.push_back({{"to", to}, {"ports", ports_of({53}, {"UDP", "TCP"})}});
}

Json public_block(const Values& values, const ClusterFacts& cluster, std::string_view all) {
    const auto whole = parse_range(all);
    Json except = Json::array();
    for (const std::string& text : closed_ranges(values, cluster, whole->v6)) {
        // The API takes only what is strictly inside; the rest is closed anyway.
        const auto range = parse_range(text);
        if (whole->contains(*range) && range->bits > whole->bits) except.push_back(text);
    }
    return {{"ipBlock", {{"cidr", all}, {"except", except}}}};
}

/// A cluster without any IPv4 has no other way out. Link-local addresses are no way: NodeLocal DNS has one
/// everywhere.
bool is_v6_only(const ClusterFacts& cluster) {
    static const Range link_local = *parse_range("169.254.0.0/16");
    std::size_t v6 = 0;
    for (const auto* list : {&cluster.node_addresses, &cluster.pod_ranges, &cluster.dns_addresses}) {
        for (const std::string& text : *list) {
            const auto range = parse_range(text);
            if (!range || link_local.contains(*range)) continue;
            if (!range->v6) return false;
            ++v6;
        }
    }
    return v6 > 0;
}

void add_internet(Json& rules, const Values& values, const ClusterFacts& cluster) {
    Json to = Json::array({public_block(values, cluster, everything_v4)});
    if (opens_v6(values, cluster)) to.push_back(public_block(values, cluster, everything_v6));
    rules.push_back({{"to", to}, {"ports", ports_of({443, 80}, {"TCP"})}});
}

void add_nat64(Json& rules, const Values& values, const ClusterFacts& cluster) {
    Json to = Json::array();
    for (const std::string& prefix : values.network.nat64) {
        Json peer = block(parse_range(prefix)->text());
        peer["ipBlock"]["except"] = closed_behind(prefix, values, cluster);
        to.push_back(peer);
    }
    if (!to.empty()) rules.push_back({{"to", to}, {"ports", ports_of({443, 80}, {"TCP"})}});
}

void add_openings(Json& rules, const Values& values) {
    for (const std::string& text : values.network.allow) {
        const auto target = parse_target(text);
        const auto range = target ? parse_range(target->host) : std::nullopt;
        if (!range) continue;  // values_of() has refused it
        rules.push_back(
            {{"to", Json::array({block(range->text())})}, {"ports", ports_of({target->port}, {"TCP"})}});
    }
}

/// All that is closed of a family, one by one.
std::vector<Range> known_ranges(const Values& values, const ClusterFacts& cluster, bool v6) {
    std::vector<Range> closed;
    const auto add = [&](const std::vector<std::string>& list, int longest = 128) {
        for (const std::string& text : list) {
            const auto range = parse_range(text);
            if (range && range->v6 == v6 && range->bits > 0) closed.push_back(network_of(*range, longest));
        }
    };
    add(v6 ? special_ranges_v6() : special_ranges_v4());
    add(values.network.except);
    add(values.network.nat64);                  // a prefix of one's own may lie in 2000::/3
    add(cluster.node_addresses, v6 ? 64 : 32);  // a node's own network at home has public IPv6 addresses
    add(cluster.api_addresses);
    add(cluster.pod_ranges);
    add(cluster.service_ranges);
    add(cluster.balancer_addresses);
    add(cluster.closed_before);
    return closed;
}

std::vector<std::string> texts_of(const std::vector<Range>& ranges) {
    std::vector<std::string> texts;
    for (const Range& range : ranges)
        texts.push_back(range.text());
    return texts;
}

}  // namespace

const std::vector<std::string>& special_ranges_v4() {
    static const std::vector<std::string> ranges{
        "0.0.0.0/8",        // this network
        "10.0.0.0/8",       // private
        "100.64.0.0/10",    // carrier NAT, tailnets
        "127.0.0.0/8",      // loopback
        "169.254.0.0/16",   // link local, cloud metadata
        "172.16.0.0/12",    // private
        "192.0.0.0/24",     // protocol assignments
        "192.0.2.0/24",     // documentation
        "192.88.99.0/24",   // 6to4 relays
        "192.168.0.0/16",   // private
        "198.18.0.0/15",    // benchmarks
        "198.51.100.0/24",  // documentation
        "203.0.113.0/24",   // documentation
        "224.0.0.0/4",      // multicast
        "240.0.0.0/4",      // reserved, broadcast
    };
    return ranges;
}

const std::vector<std::string>& special_ranges_v6() {
    static const std::vector<std::string> ranges{
        "2001::/23",      // protocol assignments, Teredo, benchmarks, ORCHID
        "2001:db8::/32",  // documentation
        "2002::/16",      // 6to4: IPv4 in disguise
        "3fff::/20",      // documentation
    };
    return ranges;
}

const std::vector<std::string>& nat64_ranges() {
    static const std::vector<std::string> ranges{
        "64:ff9b::/96",    // well-known
        "64:ff9b:1::/48",  // for local use
    };
    return ranges;
}

Json dns_labels(const ClusterFacts& cluster) {
    return cluster.dns_selector.empty() ? Json{{"k8s-app", "kube-dns"}} : cluster.dns_selector;
}

bool opens_v6(const Values& values, const ClusterFacts& cluster) {
    return values.network.ipv6 || cluster.v6_before.value_or(is_v6_only(cluster));
}

std::vector<std::string> closed_ranges(const Values& values, const ClusterFacts& cluster, bool v6) {
    return texts_of(minimal(known_ranges(values, cluster, v6)));
}

std::vector<std::string> closed_behind(const std::string& nat64, const Values& values,
                                       const ClusterFacts& cluster) {
    const auto prefix = parse_range(nat64);
    std::vector<Range> closed;
    for (const Range& range : minimal(known_ranges(values, cluster, false)))
        closed.push_back(behind_nat64(*prefix, range));
    for (const Range& range : known_ranges(values, cluster, true)) {
        if (prefix->contains(range) && range.bits > prefix->bits) closed.push_back(range);
    }
    return texts_of(outermost(closed));
}

Json egress_rules(const Values& values, const ClusterFacts& cluster, const Json& kept) {
    Json rules = Json::array();
    add_dns(rules, values, cluster);
    add_internet(rules, values, cluster);
    add_nat64(rules, values, cluster);
    add_openings(rules, values);
    for (const Json& rule : kept) {
        if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
    }
    return rules;
}

}  // namespace hermesctl::hermes
