// What the API server would refuse of a NetworkPolicy (networking.k8s.io/v1 with strict field validation).
#include "field_table.hpp"
#include "hermesctl/hermes/policy_checks.hpp"
#include "hermesctl/hermes/traffic.hpp"
#include "policy_rows.hpp"
#include "ranges.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using Problems = std::vector<Problem>;

std::string any(const Json&) {
    return "";
}
std::string text(const Json& value) {
    return value.is_string() ? "" : "must be text";
}
std::string mapping(const Json& value) {
    return value.is_object() ? "" : "must be a mapping";
}
std::string list(const Json& value) {
    return value.is_array() ? "" : "must be a list";
}
std::string type(const Json& value) {
    return value == "Ingress" || value == "Egress" ? "" : value.dump() + " must be Ingress or Egress";
}
std::string protocol(const Json& value) {
    const bool known = value.is_string() && parse_protocol(value.get<std::string>());
    return known ? "" : value.dump() + " must be TCP, UDP or SCTP";
}
std::string range(const Json& value) {
    const std::string said = value.is_string() ? value.get<std::string>() : "";
    const bool good = said.find('/') != std::string::npos && parse_range(said);
    return good ? "" : value.dump() + " is no address range; one looks like 192.168.0.0/16";
}
std::string port_number(const Json& value) {
    const bool good = value.is_number_integer() && value >= 1 && value <= 65535;
    return good ? "" : value.dump() + " must be a number from 1 to 65535";
}
/// IANA_SVC_NAME.
std::string port(const Json& value) {
    if (!value.is_string()) return port_number(value);
    const std::string name = value.get<std::string>();
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const bool good =
        name.size() <= 15 && std::ranges::any_of(name, letter) && !name.starts_with('-') &&
        !name.ends_with('-') && name.find("--") == std::string::npos &&
        std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
    return good ? "" : value.dump() + " must be a port's number, without quotes, or its name";
}
std::string selector_operator(const Json& value) {
    const bool known = value == "In" || value == "NotIn" || value == "Exists" || value == "DoesNotExist";
    return known ? "" : value.dump() + " must be In, NotIn, Exists or DoesNotExist";
}

constexpr FieldRow policy_table[] = {
    {"/apiVersion", text},
    {"/kind", text},
    {"/status", any},
    {"/metadata/name", text},
    {"/metadata/generateName", text},
    {"/metadata/namespace", text},
    {"/metadata/labels/*", text},
    {"/metadata/annotations/*", text},
    {"/metadata/creationTimestamp", any},
    {"/metadata/deletionGracePeriodSeconds", any},
    {"/metadata/deletionTimestamp", any},
    {"/metadata/finalizers", list},
    {"/metadata/generation", any},
    {"/metadata/managedFields", list},
    {"/metadata/ownerReferences", list},
    {"/metadata/resourceVersion", any},
    {"/metadata/selfLink", any},
    {"/metadata/uid", any},
    {"/spec/podSelector", mapping},
    {"/spec/policyTypes/-", type},
    {"/spec/egress/-/to", list},
    {"/spec/egress/-/ports", list},
    {"/spec/ingress/-/from", list},
    {"/spec/ingress/-/ports", list},
};
constexpr FieldRow selector_table[] = {
    {"/matchLabels/*", text},
    {"/matchExpressions/-/key", text},
    {"/matchExpressions/-/operator", selector_operator},
    {"/matchExpressions/-/values/-", text},
};
constexpr FieldRow peer_table[] = {
    {"/ipBlock/cidr", range},
    {"/ipBlock/except/-", range},
    {"/podSelector", mapping},
    {"/namespaceSelector", mapping},
};
constexpr FieldRow port_table[] = {
    {"/port", port},
    {"/endPort", port_number},
    {"/protocol", protocol},
};

void check_selector(const Json& selector, const std::string& pointer, Problems& problems) {
    walk_fields(selector, selector_table, pointer, problems);
    int number = 0;
    for (const Json& expression : at(selector, "/matchExpressions")) {
        const std::string op = text_at(expression, "/operator");
        const std::string place = fmt::format("{}/matchExpressions/{}", pointer, number++);
        if (at(expression, "/key").is_null()) problems.push_back({place, "has no key"});
        if (op.empty()) problems.push_back({place, "has no operator"});
        if (op.ends_with("In") == at(expression, "/values").empty())
            problems.push_back({place, "must have values with In and NotIn, and none otherwise"});
    }
}

void check_block(const Json& block, const std::string& pointer, Problems& problems) {
    const auto cidr = parse_range(text_at(block, "/cidr"));
    if (at(block, "/cidr").is_null()) problems.push_back({pointer, "has no cidr"});
    int number = 0;
    for (const Json& text : at(block, "/except")) {
        const auto inner = parse_range(text.is_string() ? text.get<std::string>() : "");
        if (cidr && inner && (!cidr->contains(*inner) || cidr->bits == inner->bits))
            problems.push_back(
                {fmt::format("{}/except/{}", pointer, number),
                 fmt::format("{} must be inside of {}, and smaller", text.dump(), text_at(block, "/cidr"))});
        ++number;
    }
}

void check_peer(const Json& peer, const std::string& pointer, Problems& problems) {
    walk_fields(peer, peer_table, pointer, problems);
    const bool block = !at(peer, "/ipBlock").is_null();
    const bool selects = !at(peer, "/podSelector").is_null() || !at(peer, "/namespaceSelector").is_null();
    if (block == selects) problems.push_back({pointer, "must have either an ipBlock or selectors"});
    if (block) check_block(at(peer, "/ipBlock"), pointer + "/ipBlock", problems);
    for (const char* selector : {"/podSelector", "/namespaceSelector"})
        check_selector(at(peer, selector), pointer + selector, problems);
}

void check_port(const Json& one, const std::string& pointer, Problems& problems) {
    walk_fields(one, port_table, pointer, problems);
    const Json& last = at(one, "/endPort");
    if (last.is_null()) return;
    const Json& first = at(one, "/port");
    if (!first.is_number() || last < first)
        problems.push_back({pointer + "/endPort", "needs a port by number, and must not be below it"});
}

void check_each(const Json& items, const std::string& pointer, Problems& problems,
                void (*check)(const Json&, const std::string&, Problems&)) {
    int number = 0;
    for (const Json& item : items)
        check(item, fmt::format("{}/{}", pointer, number++), problems);
}

void check_rule(const Json& rule, const std::string& pointer, Problems& problems) {
    for (const char* peers : {"/to", "/from"})
        check_each(at(rule, peers), pointer + peers, problems, check_peer);
    check_each(at(rule, "/ports"), pointer + "/ports", problems, check_port);
}

}  // namespace

std::vector<std::string> complaints_about_policy(const Json& policy) {
    if (!is_policy(policy)) return {};
    Problems problems;
    walk_fields(policy, policy_table, "", problems);
    if (problems.empty()) {  // the shape is right, so that what is below may be looked at
        check_selector(at(policy, "/spec/podSelector"), "/spec/podSelector", problems);
        check_each(at(policy, "/spec/egress"), "/spec/egress", problems, check_rule);
        check_each(at(policy, "/spec/ingress"), "/spec/ingress", problems, check_rule);
    }
    std::vector<std::string> complaints;
    for (const Problem& problem : problems) {
        complaints.push_back(fmt::format("networkpolicy/{}: {}: {}", text_at(policy, "/metadata/name"),
                                         dotted(problem.pointer), problem.why));
    }
    return complaints;
}

}  // namespace hermesctl::hermes
