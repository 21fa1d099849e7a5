// The one table of the kinds that are used: API version, path, and whether a kind is namespaced.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <span>
#include <string>
#include <string_view>

namespace hermesctl::kube {

struct Kind {
    std::string_view name{};         // "Deployment"
    std::string_view api_version{};  // "apps/v1"
    std::string_view plural{};       // "deployments"
    bool namespaced = true;
};

std::span<const Kind> kinds();
/// Throws std::logic_error for a kind that is not in the table.
const Kind& kind_of(std::string_view name);
/// "apps", "" for the core group.
std::string_view group_of(const Kind&);
/// "/apis/apps/v1/namespaces/hermes/deployments"; all namespaces when `ns` is empty.
std::string collection_path(const Kind&, std::string_view ns);
std::string object_path(const Ref&);

}  // namespace hermesctl::kube
