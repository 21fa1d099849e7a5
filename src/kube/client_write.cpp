// Changing: server-side apply, create, replace, patch, delete; and asking what one may do.
#include "hermesctl/kube/client.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

// The server itself gives up after 34 s, and says so: who leaves before does not know what became of the
// write.
constexpr std::chrono::seconds longest_write{40};

struct Change {
    std::string method{};
    std::string target{};
    std::string content_type = "application/json";
};

net::Request change_request(Change change, const Json& body) {
    return {.method = std::move(change.method),
            .target = std::move(change.target),
            .headers = {{"Accept", "application/json"}, {"Content-Type", std::move(change.content_type)}},
            .body = body.dump(),
            .timeout = longest_write};
}

std::string write_query(std::string_view manager = field_manager, bool dry_run = false) {
    return fmt::format("?fieldManager={}&fieldValidation=Strict{}", net::percent_encode(manager),
                       dry_run ? "&dryRun=All" : "");
}

/// The server refuses an apply that carries managedFields.
Json without_managed_fields(Json object) {
    if (object.contains("metadata")) object["metadata"].erase("managedFields");
    return object;
}

std::string content_type_of(Patch patch) {
    return patch == Patch::merge ? "application/merge-patch+json" : "application/json-patch+json";
}

/// All of it belongs into the body: the server ignores the query of a DELETE that has one, `dryRun` too.
Json delete_body(const DeleteOptions& options) {
    Json body{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
    if (!options.uid.empty()) body["preconditions"]["uid"] = options.uid;
    if (!options.resource_version.empty())
        body["preconditions"]["resourceVersion"] = options.resource_version;
    if (options.grace_seconds) body["gracePeriodSeconds"] = *options.grace_seconds;
    return body;
}

Json access_review(const Permission& permission) {
    Json attributes{
        {"verb", permission.verb}, {"group", permission.group}, {"resource", permission.resource}};
    if (!permission.subresource.empty()) attributes["subresource"] = permission.subresource;
    if (!permission.ns.empty()) attributes["namespace"] = permission.ns;
    if (!permission.name.empty()) attributes["name"] = permission.name;
    return {{"apiVersion", "authorization.k8s.io/v1"},
            {"kind", "SelfSubjectAccessReview"},
            {"spec", {{"resourceAttributes", attributes}}}};
}

}  // namespace

void Client::lift_limit() {
    patience_.reset();
    out_of_time_ = false;
}

std::vector<Outcome> Client::write(std::span<const net::Request> requests,
                                   std::span<const std::string> what_for) {
    lift_limit();
    const bool before = std::exchange(has_lost_write_, true);  // an interrupt may end it
    try {
        auto all = outcomes(requests, what_for);
        has_lost_write_ = before || std::ranges::any_of(all, &Outcome::lost);
        return all;
    } catch (const net::NotSent&) {
        has_lost_write_ = before;
        throw;
    }
}

Outcome Client::write(const Ref& ref, const net::Request& request, const std::string& what_for) {
    lift_limit();
    if (ref.kind == "Lease" || ref.kind == "Job") return one(request, what_for);
    return std::move(write({&request, 1}, {&what_for, 1}).front());
}

Outcome Client::apply(const Json& object, ApplyOptions options) {
    return std::move(apply_all({&object, 1}, options).front());
}

std::vector<Outcome> Client::apply_all(std::span<const Json> objects, ApplyOptions options) {
    std::vector<net::Request> requests;
    std::vector<std::string> what_for;
    for (const Json& object : objects) {
        const Ref ref = ref_of(object);
        const std::string target = fmt::format("{}{}&force={}", object_path(ref),
                                               write_query(field_manager, options.dry_run), options.force);
        requests.push_back(change_request({"PATCH", target, "application/apply-patch+yaml"},
                                          without_managed_fields(object)));
        if (options.dry_run) requests.back().end = round_end();
        what_for.push_back("applying " + title(ref));
    }
    return options.dry_run ? outcomes(requests, what_for) : write(requests, what_for);
}

Outcome Client::create(const Json& object) {
    const Ref ref = ref_of(object);
    const std::string target = collection_path(kind_of(ref.kind), ref.ns) + write_query();
    return write(ref, change_request({"POST", target}, object), "creating " + title(ref));
}

Outcome Client::replace(const Json& object) {
    const Ref ref = ref_of(object);
    return write(ref, change_request({"PUT", object_path(ref) + write_query()}, object),
                 "replacing " + title(ref));
}

Outcome Client::patch(const Ref& ref, Patch kind, const Json& body, PatchOptions options) {
    const std::string target = object_path(ref) + write_query(options.manager, options.dry_run);
    net::Request request = change_request({"PATCH", target, content_type_of(kind)}, body);
    if (options.dry_run) request.end = round_end();
    const std::string what_for = "patching " + title(ref);
    return options.dry_run ? one(request, what_for) : write(ref, request, what_for);
}

bool Client::remove(const Ref& ref, const DeleteOptions& options) {
    net::Request request = change_request({"DELETE", object_path(ref)}, delete_body(options));
    if (options.timeout) request.timeout = *options.timeout;
    const Outcome outcome = write(ref, request, "deleting " + title(ref));
    if (outcome.not_found()) return false;
    outcome.value();
    return true;
}

std::vector<bool> Client::allowed(std::span<const Permission> permissions) {
    std::vector<net::Request> requests;
    std::vector<std::string> what_for;
    for (const Permission& permission : permissions) {
        requests.push_back(change_request({"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"},
                                          access_review(permission)));
        requests.back().end = round_end();
        what_for.push_back(
            fmt::format("asking whether {} {} is allowed", permission.verb, permission.resource));
    }
    std::vector<bool> answers;
    for (const Outcome& outcome : outcomes(requests, what_for)) {
        answers.push_back(bool_at(outcome.value(), "/status/allowed"));
    }
    return answers;
}

}  // namespace hermesctl::kube
