// What a request to the fake API server is about.
#pragma once

#include "support/fake_api.hpp"

namespace hermesctl::testing {

struct FakeApi::Target {
    std::string path{};
    const kube::Kind* kind = nullptr;  // null: a path that is not of our kinds
    std::string ns{};
    std::string name{};
    std::string subresource{};
    std::multimap<std::string, std::string> query{};

    explicit Target(const std::string& target);
    std::string parameter(const std::string& key) const;
    kube::Selector selector() const { return {parameter("labelSelector"), parameter("fieldSelector")}; }
    Ref ref() const { return {std::string(kind->name), ns, name}; }
    bool watches() const { return !parameter("watch").empty(); }
    bool dry_run() const { return parameter("dryRun") == "All"; }
    std::string resource() const;  // "pods/exec"
};

/// Equality requirements only ("a=b,c=d"), as hermesctl uses them.
bool selected(const kube::Json& object, const kube::Selector&);

}  // namespace hermesctl::testing
