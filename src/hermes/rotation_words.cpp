#include "hermes/rotation_words.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::text_at;

/// Where deploy is advised to set a key of these, this command is the nearer one.
std::string nearer_hint(std::string hint, const SecretChanges& changes) {
    for (const std::string& key : keys_of(changes)) {
        const std::string deploy = fmt::format("hermesctl deploy --secret {}=-", key);
        const std::size_t at = hint.find(deploy);
        if (at != std::string::npos) hint.replace(at, deploy.size(), "hermesctl rotate-secret " + key);
    }
    return hint;
}

}  // namespace

std::vector<std::string> keys_of(const SecretChanges& changes) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : changes)
        keys.push_back(key);
    return keys;
}

std::string listed(const SecretChanges& changes) {
    return fmt::format("{}", fmt::join(keys_of(changes), ", "));
}

std::string last_writer(const Json& object) {
    std::string who;
    std::string when;
    for (const Json& entry : kube::at(object, "/metadata/managedFields")) {
        const std::string time = text_at(entry, "/time");
        if (time < when) continue;
        when = time;
        who = text_at(entry, "/manager");
    }
    return who.empty() ? "" : fmt::format(" by {} at {}", who, when);
}

Error not_used(const Proof& proof) {
    return {ExitCode::failed,
            fmt::format("the bot answers, but its gateway has another value of {}; nothing was put back",
                        fmt::join(proof.unused, ", ")),
            "hermesctl restart; if it stays so, hermesctl verify tells what else the pod sets"};
}

Error not_told(const SecretChanges& changes, const Proof& proof) {
    return {
        ExitCode::failed,
        fmt::format("the bot answers, but whether its gateway uses the new {} could not be told: {}; nothing "
                    "was put back",
                    listed(changes), proof.why),
        proof.hint};
}

Error story(const SecretChanges& changes, const Error& cause, const std::string& end) {
    return cause.with_code(ExitCode::failed)
        .with_message(fmt::format("the new {} did not work: {}; {}", listed(changes), cause.message(), end))
        .with_hint(nearer_hint(cause.hint(), changes));
}

Error stays(const SecretChanges& changes, const Error& cause, const std::string& left) {
    constexpr std::string_view next = "hermesctl wait";
    std::string hint = nearer_hint(cause.hint(), changes);
    if (hint.find(next) == std::string::npos) hint.append(hint.empty() ? "" : ", then: ").append(next);
    return cause
        .with_message(fmt::format(
            "{}; the change of {} stays: nothing shows that it made this{}", cause.message(), listed(changes),
            left.empty() ? "" : fmt::format("; the next command may undo it, as {} is left", left)))
        .with_hint(hint);
}

std::string what_stays(RotationRecord::Holds holds) {
    switch (holds) {
        case RotationRecord::Holds::old_ones:
            return "it is undone: the old values stay";
        case RotationRecord::Holds::new_ones:
            return "the new values stay; the agent is stopped, so nothing proves them";
        case RotationRecord::Holds::neither:
            break;
    }
    return "the values were put back in part, or changed since, and stay as they are now";
}

}  // namespace hermesctl::hermes
