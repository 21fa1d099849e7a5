// The cage's NetworkPolicy: DNS to the cluster's DNS, 443 and 80 to public addresses, nothing else.
#pragma once

#include "hermesctl/hermes/cluster.hpp"
#include "hermesctl/hermes/values.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

inline constexpr std::string_view everything_v4 = "0.0.0.0/0";
inline constexpr std::string_view everything_v6 = "2000::/3";  // all that is public

/// Every special-purpose IPv4 range (IANA) that "public" leaves out, and IPv6's inside 2000::/3.
const std::vector<std::string>& special_ranges_v4();
const std::vector<std::string>& special_ranges_v6();

/// Where IPv4 addresses stand behind an IPv6 prefix of everybody: outside of 2000::/3, so that nothing opens
/// them.
const std::vector<std::string>& nat64_ranges();

/// The labels of the DNS Service's pods; as they usually are where it could not be read.
Json dns_labels(const ClusterFacts&);

/// Whether public IPv6 is open: where it was asked for, and in a cluster that has no IPv4.
bool opens_v6(const Values&, const ClusterFacts&);

/// All that "public" leaves out: special ranges, what the cluster is, network.except. Sorted, minimal.
std::vector<std::string> closed_ranges(const Values&, const ClusterFacts&, bool v6);

/// The same behind a prefix of network.nat64: each closed IPv4 range, and what is closed by its IPv6 address.
std::vector<std::string> closed_behind(const std::string& nat64, const Values&, const ClusterFacts&);

/// The egress rules: DNS, public internet less special and cluster ranges (behind NAT64 too where asked for),
/// network.allow, then `kept`.
Json egress_rules(const Values&, const ClusterFacts&, const Json& kept);

/// One line of the policy, and where it comes from.
struct Origin {
    std::string line{};  // "closed  10.42.0.0/16"
    std::string why{};   // "pods"
};
/// For each peer and each exception of the policy's egress rules.
std::vector<Origin> policy_origins(const Values&, const ClusterFacts&, const Json& policy);

/// A fingerprint of each rule, as text for the annotation hermesctl/rules: by it deploy knows its own again.
std::string rules_record(const Json& rules);

/// Rules of a live policy that deploy did not write and the guide's own text does not have: what somebody
/// added.
Json foreign_rules(const Json& live_policy);

/// Exceptions from "public" that somebody added to a live policy by hand.
std::vector<std::string> exceptions_by_hand(const Json& live_policy);

/// What a live policy closes, and where it lets DNS go, as far as the cluster could not be read now: a deploy
/// by somebody who may read less does not loosen the cage.
void keep_what_was_known(const Json& live_policy, ClusterFacts&);

/// "10.0.0.0/8 less 10.1.0.0/16", "pods app=nas in namespaces team=home".
std::string peer_text(const Json& peer);
/// "TCP 443, TCP 80 to 0.0.0.0/0 less 10.0.0.0/8".
std::string rule_text(const Json& rule);

}  // namespace hermesctl::hermes
