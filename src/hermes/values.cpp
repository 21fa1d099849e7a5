// Settings from a file, their merge, and the typed values.
#include "hermesctl/hermes/values.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "settings_check.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using namespace nlohmann::json_literals;

/// Where a value stands, or what holds it when its own place is not known.
std::pair<int, int> place_of(const kube::Document& document, std::string pointer) {
    while (true) {
        const auto found = document.positions.find(pointer);
        if (found != document.positions.end()) return {found->second.line, found->second.column};
        if (pointer.empty()) return {1, 1};
        pointer.resize(pointer.rfind('/'));
    }
}

[[noreturn]] void refuse(const std::vector<std::string>& complaints, const std::string& hint = {}) {
    throw Error(ExitCode::usage, fmt::format("{}", fmt::join(complaints, "\n")), hint);
}

std::string as_text(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::int64_t as_user(const Json& value) {
    return value.is_string() ? std::stoll(value.get<std::string>()) : value.get<std::int64_t>();
}

void take(const Json& settings, std::string_view pointer, std::string& into) {
    if (const Json& value = at(settings, pointer); !value.is_null()) into = as_text(value);
}

void take(const Json& settings, std::string_view pointer, std::vector<std::string>& into) {
    if (const Json& value = at(settings, pointer); !value.is_null()) into = value;
}

/// Adds to what is there: a file that names the memory says nothing about the cpu.
void take(const Json& settings, std::string_view pointer, std::map<std::string, std::string>& into) {
    for (const auto& [key, value] : at(settings, pointer).items())
        into[key] = as_text(value);
}

void take(const Json& settings, std::string_view pointer, Json& into) {
    if (const Json& value = at(settings, pointer); !value.is_null()) into = value;
}

void take_users(const Json& settings, Values& values) {
    for (const Json& user : at(settings, "/telegram/allowedUsers")) {
        const std::int64_t id = as_user(user);
        auto& users = values.allowed_users;
        if (std::find(users.begin(), users.end(), id) == users.end()) users.push_back(id);
    }
    if (const Json& owner = at(settings, "/owner"); !owner.is_null()) values.owner = as_user(owner);
}

void take_network(const Json& settings, Network& network) {
    take(settings, "/network/mustNotReach", network.must_not_reach);
    take(settings, "/network/except", network.except);
    take(settings, "/network/allow", network.allow);
    take(settings, "/network/dns", network.dns);
    take(settings, "/network/nat64", network.nat64);
    network.ipv6 = kube::bool_at(settings, "/network/ipv6", network.ipv6);
    network.gate = kube::bool_at(settings, "/network/gate", network.gate);
}

void take_pod(const Json& settings, Pod& pod) {
    take(settings, "/pod/env", pod.env);
    take(settings, "/pod/nodeSelector", pod.node_selector);
    take(settings, "/pod/tolerations", pod.tolerations);
    take(settings, "/pod/imagePullSecrets", pod.image_pull_secrets);
    take(settings, "/pod/runtimeClassName", pod.runtime_class);
    pod.hardened = kube::bool_at(settings, "/pod/hardened", pod.hardened);
}

/// merge_patch with nothing below it takes every null away.
Json without_nulls(const Json& settings) {
    return merged(Json::object(), settings);
}

}  // namespace

std::vector<Json> settings_of_file(std::string_view text, std::string_view source, bool sent) {
    std::vector<Json> all;
    std::vector<std::string> complaints;
    std::string hint;
    std::set<std::pair<std::string, std::string>> instances;
    for (kube::Document& document : kube::parse_documents(text, source)) {
        if (kube::text_at(document.value, "/kind") == "NetworkPolicy")
            hint = "hermesctl verify --static judges a NetworkPolicy";
        std::multimap<std::pair<int, int>, std::string> problems;
        for (const Problem& problem : sent ? problems_of_file(document.value) : problems_of(document.value)) {
            problems.emplace(place_of(document, problem.pointer), problem.why);
        }
        const std::string ns = kube::text_at(document.value, "/namespace", "hermes");
        const std::string name = kube::text_at(document.value, "/name", "hermes");
        if (document.value.is_object() && !instances.emplace(ns, name).second) {
            problems.emplace(
                place_of(document, "/name"),
                fmt::format("{} in namespace {} is in this file already: name and namespace tell "
                            "instances apart",
                            name, ns));
        }
        for (const auto& [place, why] : problems) {
            complaints.push_back(fmt::format("{}:{}:{}: {}", source, place.first, place.second, why));
        }
        if (document.value.is_object()) {
            document.value.erase("apiVersion");
            document.value.erase("kind");
        }
        all.push_back(std::move(document.value));
    }
    if (all.empty()) complaints.push_back(fmt::format("{}: there is nothing in it", source));
    if (!complaints.empty()) refuse(complaints, hint);
    return all;
}

Json merged(Json base, const Json& over) {
    for (const auto& [key, source] : at(over, "/secrets").items()) {
        // A secret has one source: a new one replaces the old one instead of joining it.
        if (at(base, "/secrets").is_object()) base["secrets"].erase(key);
        // And the pod's variable of that name, which would win over it.
        if (at(base, "/pod/env").is_object() && !source.is_null()) base["pod"]["env"].erase(key);
    }
    base.merge_patch(over);
    return base;
}

void check_settings(const Json& settings, const std::string& hint) {
    std::vector<std::string> complaints;
    for (const Problem& problem : problems_of(settings)) {
        complaints.push_back(fmt::format("{}: {}", dotted(problem.pointer), problem.why));
    }
    if (!complaints.empty()) refuse(complaints, hint);
}

Values values_of(const Json& given, const std::string& hint) {
    const Json settings = without_nulls(given);
    check_settings(settings, hint);
    Values values;
    take(settings, "/name", values.name);
    take(settings, "/namespace", values.ns);
    take(settings, "/image", values.image);
    take(settings, "/model/provider", values.provider);
    take(settings, "/model/default", values.model);
    take(settings, "/storage/size", values.storage_size);
    if (settings.contains("/storage/class"_json_pointer))
        values.storage_class = at(settings, "/storage/class");
    take_users(settings, values);
    take(settings, "/resources/requests", values.resources.requests);
    take(settings, "/resources/limits", values.resources.limits);
    take_network(settings, values.network);
    take_pod(settings, values.pod);
    take(settings, "/config", values.config);
    take(settings, "/secrets", values.secrets);
    return values;
}

}  // namespace hermesctl::hermes
