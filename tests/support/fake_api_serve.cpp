// Requests to the fake API server: which one it is, whether it is refused, and what it reads or writes.
#include "support/fake_api.hpp"
#include "support/fake_api_target.hpp"
#include "support/fake_fields.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace hermesctl::testing {
namespace {

using kube::Json;

std::string lower(std::string_view text) {
    std::string low(text);
    std::transform(low.begin(), low.end(), low.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return low;
}

net::Response not_found(const std::string& resource, const std::string& name) {
    return refusal(404, "NotFound", fmt::format("{} \"{}\" not found", resource, name));
}

/// What discovery says of the table of kinds, at "/apis" and at a group's version; nothing elsewhere.
std::optional<net::Response> discovery(const std::string& path) {
    Json groups = Json::array();
    Json resources = Json::array();
    for (const kube::Kind& kind : kube::kinds()) {
        const std::string version(kind.api_version);
        const bool core = version == "v1";
        const Json group{{"name", kube::group_of(kind)}, {"preferredVersion", {{"groupVersion", version}}}};
        if (!core && std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
        if (path != (core ? "/api/" : "/apis/") + version) continue;
        resources.push_back({{"name", kind.plural},
                             {"kind", kind.name},
                             {"namespaced", kind.namespaced},
                             {"verbs", {"delete", "get", "list"}}});
    }
    if (path == "/apis") return answer(200, Json{{"groups", groups}}.dump());
    if (resources.empty()) return std::nullopt;
    return answer(200, Json{{"resources", resources}}.dump());
}

std::string content_type(const net::Request& request) {
    return std::string(net::Response{.headers = request.headers}.header("Content-Type"));
}

}  // namespace

void FakeApi::serve(net::Transport::Ticket ticket, const net::Request& request) {
    const Target target(request.target);
    if (down) return transport_.finish(ticket, no_answer("connection refused"));
    std::optional<net::Response> refusal_answer = refused(request, target);
    if (target.watches() && !refusal_answer) {
        log.push_back("WATCH " + lower(target.kind->name));
        return watch(ticket, target);
    }
    net::Response response = refusal_answer ? std::move(*refusal_answer) : handle(request, target);
    if (target.kind != nullptr && request.method != "GET") {
        const auto warning = warnings_.find(std::string(target.kind->name));
        if (warning != warnings_.end()) {
            response.headers.push_back({"Warning", fmt::format("299 - {}", Json(warning->second).dump())});
        }
    }
    transport_.finish(ticket, std::move(response));
}

/// A scripted failure, or a denied verb.
std::optional<net::Response> FakeApi::refused(const net::Request& request, const Target& target) {
    const std::string kind = target.kind == nullptr ? "" : std::string(target.kind->name);
    for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
        if (!fault->method.empty() && fault->method != request.method) continue;
        if (!fault->kind.empty() && fault->kind != kind) continue;
        if (fault->skip-- > 0) continue;
        net::Response response = fault->answer;
        if (fault->once) faults_.erase(fault);
        return response;
    }
    if (target.kind == nullptr) return std::nullopt;
    std::vector<std::string> verbs;
    if (request.method == "GET") verbs = {target.watches() ? "watch" : target.name.empty() ? "list" : "get"};
    if (request.method == "POST") verbs = {"create"};
    if (request.method == "PUT") verbs = {"update"};
    if (request.method == "DELETE") verbs = {"delete"};
    if (request.method == "PATCH") verbs = {"patch"};
    if (request.method == "PATCH" && object(target.ref()).is_null()) verbs.push_back("create");
    for (const std::string& verb : verbs) {
        if (!denied_.contains({verb, target.resource()})) continue;
        return refusal(403, "Forbidden",
                       fmt::format("{} \"{}\" is forbidden: User \"test\" cannot {} resource",
                                   target.resource(), target.name, verb));
    }
    return std::nullopt;
}

net::Response FakeApi::handle(const net::Request& request, const Target& target) {
    if (target.path.ends_with("/selfsubjectaccessreviews")) return review(Json::parse(request.body));
    if (target.path == "/version") return answer(200, R"({"major":"1","minor":"34","gitVersion":"v1.34.4"})");
    if (const auto page = pages.find(target.path); page != pages.end()) return page->second;
    if (target.kind == nullptr) return discovery(target.path).value_or(answer(404, "404 page not found\n"));
    if (request.method == "GET") {
        log.push_back((target.name.empty() ? "LIST " : "GET ") + lower(target.kind->name) +
                      (target.name.empty() ? "" : "/" + target.name));
        return target.name.empty() ? list(target) : read(target);
    }
    return write(request, target);
}

net::Response FakeApi::read(const Target& target) const {
    const Json& found = object(target.ref());
    if (found.is_null()) return not_found(std::string(target.kind->plural), target.name);
    if (target.subresource == "log") {
        const auto text = logs.find(target.name);
        return answer(200, text == logs.end() ? "" : text->second);
    }
    return answer(200, found.dump());
}

net::Response FakeApi::list(const Target& target) const {
    Json items = Json::array();
    for (const auto& [ref, object] : objects_) {
        if (ref.kind != target.kind->name || (!target.ns.empty() && ref.ns != target.ns)) continue;
        if (!selected(object, target.selector())) continue;
        items.push_back(object);
        items.back().erase("kind");
        items.back().erase("apiVersion");
    }
    return answer(200, Json{{"kind", fmt::format("{}List", target.kind->name)},
                            {"metadata", {{"resourceVersion", std::to_string(version_)}}},
                            {"items", std::move(items)}}
                           .dump());
}

net::Response FakeApi::write(const net::Request& request, const Target& target) {
    const Json body = Json::parse(request.body);
    Target full = target;
    if (full.name.empty()) full.name = kube::text_at(body, "/metadata/name");
    log.push_back(fmt::format("{} {}/{}{}{}", request.method, lower(target.kind->name), full.name,
                              target.subresource.empty() ? "" : "/" + target.subresource,
                              target.dry_run() ? " (dry run)" : ""));
    if (!full.ns.empty() && object({"Namespace", "", full.ns}).is_null())
        return not_found("namespaces", full.ns);
    const std::string type = content_type(request);
    if (type == "application/apply-patch+yaml") return apply(body, full);
    const Json before = object(full.ref());
    if (request.method == "POST") {
        if (!before.is_null())
            return refusal(409, "AlreadyExists", fmt::format("\"{}\" already exists", full.name));
    } else if (before.is_null()) {
        return not_found(std::string(full.kind->plural), full.name);
    }
    if (request.method == "DELETE") return remove(body, full);
    Json after = before;
    if (type == "application/json-patch+json") {
        after = before.patch(body);
    } else if (type == "application/merge-patch+json") {
        after.merge_patch(body);
    } else {
        after = body;
    }
    const std::string wanted = kube::text_at(after, "/metadata/resourceVersion");
    if (!before.is_null() && !wanted.empty() &&
        wanted != kube::text_at(before, "/metadata/resourceVersion")) {
        return refusal(409, "Conflict",
                       "the object has been modified; please apply your changes to the latest version");
    }
    own_changes(before, after, full.parameter("fieldManager"));
    return store(std::move(after), before, full);
}

net::Response FakeApi::review(const Json& body) const {
    const Json& asked = kube::at(body, "/spec/resourceAttributes");
    const std::string below = kube::text_at(asked, "/subresource");
    const std::string resource = kube::text_at(asked, "/resource") + (below.empty() ? "" : "/" + below);
    const bool allowed = !denied_.contains({kube::text_at(asked, "/verb"), resource});
    return answer(201, Json{{"status", {{"allowed", allowed}}}}.dump());
}

void FakeApi::fail(std::string method, std::string kind, int nth, net::Response response) {
    faults_.push_back({std::move(method), std::move(kind), nth - 1, true, std::move(response)});
}

void FakeApi::fail_always(std::string method, std::string kind, net::Response response) {
    faults_.push_back({std::move(method), std::move(kind), 0, false, std::move(response)});
}

}  // namespace hermesctl::testing
