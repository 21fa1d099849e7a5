// The store of the fake API server, and who is told of its changes.
#include "support/fake_api.hpp"

#include "support/fake_api_target.hpp"
#include "support/fake_fields.hpp"

#include <fmt/format.h>

namespace hermesctl::testing {
namespace {

using kube::Json;

std::string event_line(const std::string& type, const Json& object) {
    return Json{{"type", type}, {"object", object}}.dump() + "\n";
}

/// Everything but what each write changes by itself.
Json without_bookkeeping(Json object) {
    object["metadata"].erase("resourceVersion");
    object["metadata"].erase("generation");
    return object;
}

/// The API's one rule that hermesctl has to work around.
bool has_parameters_of_another_strategy(const Json& deployment) {
    return kube::text_at(deployment, "/spec/strategy/type") == "Recreate" &&
           kube::at(deployment, "/spec/strategy").contains("rollingUpdate");
}

}  // namespace

FakeApi::FakeApi(FakeTransport& transport) : transport_(transport) {
    transport_.serve = [this](net::Transport::Ticket ticket, const net::Request& request) {
        serve(ticket, request);
    };
    transport_.open = [this](const net::Request& request, std::span<const std::string> protocols) {
        return open(request, protocols);
    };
}

const Json& FakeApi::object(const Ref& ref) const {
    static const Json nothing;
    const auto found = objects_.find(ref);
    return found == objects_.end() ? nothing : found->second;
}

void FakeApi::put(Json object, const std::string& manager) {
    const Ref ref = kube::ref_of(object);
    const Json before = this->object(ref);
    Json& metadata = object["metadata"];
    if (!metadata.contains("uid"))
        metadata["uid"] =
            before.is_null() ? fmt::format("uid-{}", ++uids_) : before["metadata"]["uid"].get<std::string>();
    if (!metadata.contains("generation")) metadata["generation"] = 1;
    if (!metadata.contains("creationTimestamp")) metadata["creationTimestamp"] = "2026-01-01T00:00:00Z";
    if (!manager.empty()) own_changes(before, object, manager);
    metadata["resourceVersion"] = std::to_string(++version_);
    objects_[ref] = object;
    remember(before.is_null() ? "ADDED" : "MODIFIED", object);
}

void FakeApi::merge(const Ref& ref, const Json& change) {
    Json object = this->object(ref);
    merge_into(object, change);
    put(std::move(object));
}

void FakeApi::erase(const Ref& ref) {
    const auto found = objects_.find(ref);
    if (found == objects_.end()) return;
    Json object = found->second;
    objects_.erase(found);
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    remember("DELETED", object);
}

void FakeApi::remember(const std::string& type, const Json& object) {
    history_.push_back({version_, type, object});
    const Ref ref = kube::ref_of(object);
    for (const Watcher& watcher : watchers_) {
        const bool within = watcher.kind == ref.kind && (watcher.ns.empty() || watcher.ns == ref.ns);
        if (within && selected(object, watcher.selector))
            transport_.chunk(watcher.ticket, event_line(type, object));
    }
}

void FakeApi::watch(net::Transport::Ticket ticket, const Target& target) {
    const int from = std::stoi("0" + target.parameter("resourceVersion"));
    if (from < compacted_) {
        const Json status{{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}, {"message", "too old"}};
        transport_.chunk(ticket, event_line("ERROR", status));
        transport_.finish(ticket, answer(200, ""));
        return;
    }
    const Watcher watcher{ticket, std::string(target.kind->name), target.ns, target.selector()};
    for (const Change& change : history_) {
        const Ref ref = kube::ref_of(change.object);
        const bool within = watcher.kind == ref.kind && (watcher.ns.empty() || watcher.ns == ref.ns);
        if (change.version <= from || !within || !selected(change.object, watcher.selector)) continue;
        transport_.chunk(ticket, event_line(change.type, change.object));
    }
    watchers_.push_back(watcher);
    transport_.after(std::chrono::seconds(std::stoi("0" + target.parameter("timeoutSeconds"))),
                     [this, ticket] {
                         std::erase_if(watchers_, [&](const Watcher& old) { return old.ticket == ticket; });
                         transport_.finish(ticket, answer(200, ""));
                     });
}

void FakeApi::break_watches(const std::string& failure) {
    for (const Watcher& watcher : std::exchange(watchers_, {})) {
        transport_.finish(watcher.ticket, no_answer(failure, true));
    }
}

/// A write's end: nothing happens for a dry run, and no new version without a change.
net::Response FakeApi::store(Json object, const Json& before, const Target& target) {
    const int status = before.is_null() ? 201 : 200;
    if (has_parameters_of_another_strategy(object)) {
        return refusal(
            422, "Invalid",
            fmt::format("Deployment.apps \"{}\" is invalid: spec.strategy.rollingUpdate: Forbidden: may not "
                        "be specified when strategy `type` is 'Recreate'",
                        target.name));
    }
    Json& metadata = object["metadata"];
    if (before.is_null()) {
        metadata["uid"] = fmt::format("uid-{}", ++uids_);
        metadata["generation"] = 1;
        metadata["creationTimestamp"] = "2026-01-01T00:00:00Z";
    } else if (without_bookkeeping(object) == without_bookkeeping(before)) {
        return answer(status, before.dump());
    } else if (object.value("spec", Json()) != before.value("spec", Json())) {
        metadata["generation"] = kube::int_at(before, "/metadata/generation", 1) + 1;
    }
    if (target.dry_run()) return answer(status, object.dump());
    metadata["resourceVersion"] = std::to_string(++version_);
    objects_[kube::ref_of(object)] = object;
    const std::string type = before.is_null() ? "ADDED" : "MODIFIED";
    remember(type, object);
    if (on_write) on_write(type, object);
    return answer(status, object.dump());
}

net::Response FakeApi::apply(const Json& body, const Target& target) {
    const Json before = object(target.ref());
    for (const char* field : {"/metadata/uid", "/metadata/resourceVersion"}) {
        const std::string wanted = kube::text_at(body, field);
        if (wanted.empty() || wanted == kube::text_at(before, field)) continue;
        return refusal(409, "Conflict", "the object has been modified");
    }
    Applied applied = server_side_apply(before, body, target.parameter("fieldManager"),
                                        target.parameter("force") == "true");
    if (applied.conflicts.empty()) return store(std::move(applied.object), before, target);
    net::Response conflict =
        refusal(409, "Conflict", fmt::format("Apply failed with {} conflict", applied.conflicts.size()));
    Json status = Json::parse(conflict.body);
    status["details"]["causes"] = applied.conflicts;
    conflict.body = status.dump();
    return conflict;
}

net::Response FakeApi::remove(const Json& body, const Target& target) {
    const Json before = object(target.ref());
    for (const char* field : {"uid", "resourceVersion"}) {
        const std::string wanted = kube::text_at(body, std::string("/preconditions/") + field);
        if (wanted.empty() || wanted == kube::text_at(before, std::string("/metadata/") + field)) continue;
        return refusal(409, "Conflict", fmt::format("the {} in the precondition does not match", field));
    }
    erase(target.ref());
    if (target.kind->name == "Namespace") {
        std::vector<Ref> inside;
        for (const auto& [ref, object] : objects_) {
            if (ref.ns == target.name) inside.push_back(ref);
        }
        for (const Ref& ref : inside) {
            erase(ref);
        }
    }
    if (on_write) on_write("DELETED", before);
    return answer(200, before.dump());
}

}  // namespace hermesctl::testing
