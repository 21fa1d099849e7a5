// The proof of a rotation, and what a value is compared with: asked of manifests/inforce.py in the pod.
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/rotation.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/shadow.hpp"
#include "hermesctl/kube/exec.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::at;

constexpr const char* ask_again = "hermesctl status; the next rotate-secret or deploy asks again";

/// Only keys that were asked for: what the pod says is the agent's to choose.
std::vector<std::string> named(const Json& keys, const SecretChanges& asked) {
    std::vector<std::string> found;
    for (const auto& [key, value] : asked) {
        if (std::find(keys.begin(), keys.end(), Json(key)) != keys.end()) found.push_back(key);
    }
    return found;
}

Proof read_proof(const kube::ExecOutput& output, const SecretChanges& asked) {
    const Json said = Json::parse(output.out, nullptr, false);
    if (!at(said, "/gateways").is_number() || !at(said, "/unused").is_array())
        return {.why = complaint_of(output.exit_code, output.err), .hint = ask_again};
    if (kube::int_at(said, "/gateways") == 0)
        return {.why = "no gateway process was found", .hint = ask_again};
    Proof proof{.told = true,
                .unused = named(at(said, "/unused"), asked),
                .shadowed = named(at(said, "/shadowed"), asked)};
    for (const std::string_view file : {env_file_path, managed_env_file}) {
        const Json& unread = at(said, "/unread");
        if (std::find(unread.begin(), unread.end(), Json(std::string(file))) == unread.end()) continue;
        proof.told = false;
        proof.why = fmt::format("{}, which wins over the Secret, cannot be read", file);
        proof.hint = fmt::format(
            "hermesctl exec -- ls -l {}; hermesctl restart gives the agent what is its own", file);
    }
    return proof;
}

}  // namespace

Proof prove_in_force(kube::Client& client, const Names& names, const std::string& pod,
                     const SecretChanges& changes, const RotationSteps::EachRound& each_round) {
    Json wanted = Json::object();
    for (const auto& [key, value] : changes) {
        if (is_variable_name(key)) wanted[key] = value ? Json(base64_encode(*value)) : Json();
    }
    if (wanted.empty()) return {.told = true};
    const auto command = python_command(reading_script("inforce.py"), {});
    try {
        return read_proof(
            run_in_agent(client, in_agent(names.ns, pod, command), wanted.dump() + "\n", 30s, each_round),
            changes);
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        const auto* answer = dynamic_cast<const kube::ApiError*>(&error);
        return {
            .denied = answer != nullptr && answer->http() == 403, .why = error.message(), .hint = ask_again};
    }
}

}  // namespace hermesctl::hermes
