#include "hermes/rotation_record.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/ownership.hpp"
#include "hermesctl/hermes/secrets.hpp"

#include <chrono>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::at;
using kube::text_at;

constexpr auto note_path = "/metadata/annotations/hermesctl~1rotation";
constexpr auto renewal = 10s;

Json note_of(const Json& object) {
    return Json::parse(text_at(object, note_path), nullptr, false);
}

/// Null for a key that is removed.
Json fingerprint(const std::string& salt, const std::string& key, const std::optional<std::string>& value) {
    return value ? Json(secrets_mark(salt, {{key, *value}})) : Json();
}

Json note(const std::string& salt, const SecretChanges& changes, Clock::Wall now) {
    Json made{{"holder", this_holder()}, {"renewed", rfc3339(now)}, {"new", Json::object()}};
    for (const auto& [key, value] : changes)
        made["new"][key] = fingerprint(salt, key, value);
    return made;
}

}  // namespace

std::string salt_of(const Json& secret) {
    return text_at(secret, "/metadata/annotations/hermesctl~1salt");
}

std::string template_mark(const Json& deployment) {
    return text_at(deployment, "/spec/template/metadata/annotations/hermesctl~1secret-hmac");
}

std::string HalfDone::text() const {
    const std::string who = holder.empty() ? "" : " by " + holder;
    return fmt::format("a half-done change of {}{}, last seen {}", fmt::join(keys, ", "), who,
                       renewed.substr(0, 19));
}

std::optional<HalfDone> half_done(const Json& previous, const Names& names) {
    const Json said = note_of(previous);
    if (text_at(previous, "/metadata/labels/app.kubernetes.io~1managed-by") != "hermesctl" ||
        text_at(previous, "/metadata/labels/app.kubernetes.io~1instance") != names.name ||
        !at(said, "/new").is_object())
        return std::nullopt;
    HalfDone found{.keys = {}, .holder = text_at(said, "/holder"), .renewed = text_at(said, "/renewed")};
    for (const auto& [key, mark] : said["new"].items())
        found.keys.push_back(key);
    return found;
}

RotationRecord::RotationRecord(kube::Client& client, Json object, HalfDone said)
    : client_(&client), object_(std::move(object)), said_(std::move(said)), renewed_(client.clock().now()) {}

RotationRecord RotationRecord::begin(kube::Client& client, const Names& names, const Json& secret,
                                     const SecretChanges& changes, const std::string& salt) {
    const kube::Ref ref = names.previous();
    const Json said = note(salt, changes, client.clock().wall());
    Json object{{"apiVersion", "v1"},
                {"kind", "Secret"},
                {"metadata",
                 {{"name", ref.name},
                  {"namespace", ref.ns},
                  {"labels", at(secret, "/metadata/labels")},
                  {"annotations", {{"hermesctl/salt", salt}, {"hermesctl/rotation", said.dump()}}}}},
                {"type", "Opaque"},
                {"data", Json::object()}};
    for (const auto& [key, value] : changes) {
        const Json& old = at(secret, "/data/" + kube::escape_pointer(key));
        if (!old.is_null()) object["data"][key] = old;
    }
    const kube::Outcome made = client.create(object);
    if (made.error && made.error->http() == 409 && made.error->reason() == "AlreadyExists") {
        throw Error(
            ExitCode::failed,
            fmt::format("{} is there already: it keeps the old values of a rotation", title(ref)),
            fmt::format("run this again: it finishes or undoes what is half done. If it says the same, "
                        "this account may not read it, or it is not hermesctl's: kubectl -n {} get "
                        "secret {}",
                        ref.ns, ref.name));
    }
    return {client, made.value(), *half_done(*made.object, names)};
}

std::optional<RotationRecord> RotationRecord::find(kube::Client& client, const Names& names) {
    const kube::Outcome found = client.look(names.previous());
    if (found.not_found() || (found.error && found.error->code() == ExitCode::denied)) return std::nullopt;
    auto said = half_done(found.value(), names);
    if (!said) return std::nullopt;
    secret_values(*found.object);  // remembers them: they are not shown
    return RotationRecord(client, *found.object, std::move(*said));
}

SecretChanges RotationRecord::old_values() const {
    const SecretValues kept = secret_values(object_);
    SecretChanges old;
    for (const std::string& key : said_.keys) {
        const auto found = kept.find(key);
        old[key] = found == kept.end() ? std::nullopt : std::optional(found->second);
    }
    return old;
}

RotationRecord::Holds RotationRecord::holds(const SecretValues& values) const {
    const Json marks = at(note_of(object_), "/new");
    bool all_new = true;
    bool all_old = true;
    for (const auto& [key, old] : old_values()) {
        const auto found = values.find(key);
        const auto value = found == values.end() ? std::nullopt : std::optional(found->second);
        all_new = all_new && fingerprint(salt(), key, value) == marks.at(key);
        all_old = all_old && value == old;
    }
    return all_new ? Holds::new_ones : all_old ? Holds::old_ones : Holds::neither;
}

void RotationRecord::write(const std::string& holder) {
    Json said = note_of(object_);
    said["holder"] = holder;
    said["renewed"] = rfc3339(client_->clock().wall());
    const Json body{{"metadata",
                     {{"resourceVersion", text_at(object_, "/metadata/resourceVersion")},
                      {"annotations", {{"hermesctl/rotation", said.dump()}}}}}};
    const kube::Outcome written = client_->patch(kube::ref_of(object_), kube::Patch::merge, body);
    renewed_ = client_->clock().now();  // after a failure too: the next try comes in time
    if (written.object) {
        object_ = *written.object;
    } else if (written.not_found() || written.error->http() == 409) {
        throw Error(ExitCode::failed, "another hermesctl has taken over the half-done rotation",
                    "run this again when it has ended");
    }
}

void RotationRecord::take_over() {
    write(this_holder());
}

void RotationRecord::renew_if_due() {
    if (client_->clock().now() - renewed_ >= renewal) write(this_holder());
}

void RotationRecord::give_up() noexcept {
    try {
        write("");
    } catch (const std::exception&) {  // it lapses by itself
    }
}

void RotationRecord::remove() {
    client_->remove(kube::ref_of(object_), {.uid = text_at(object_, "/metadata/uid")});
}

}  // namespace hermesctl::hermes
