#include "hermesctl/hermes/shadow.hpp"

#include "hermes/inspection_parts.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/inspection.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/kube/exec.hpp"
#include "tamed.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::at;
using kube::text_at;

constexpr int refused = 8;  // unshadow.py's exit codes
constexpr int changed_meanwhile = 9;

Shadows unknown(std::string why, std::string hint) {
    return {.why = std::move(why), .hint = std::move(hint)};
}

}  // namespace

std::string way_out_of(const Shadow& shadow) {
    return shadow.mendable() ? "hermesctl rotate-secret --unshadow " + shadow.key : managers_business;
}

Shadows shadows_of(const Inside& inside) {
    if (inside.said.is_null()) return unknown(inside.why, inside.hint);
    Shadows found{.known = true};
    for (const auto& [path, said] : at(inside.said, "/env_files").items()) {
        if (text_at(said, "/state") == "unreadable")
            return unknown(path + " cannot be read as the agent", show_file(path));
        for (const auto& [key, same] : at(said, "/shadows").items()) {
            // It goes into commands to type: the agent may have made it up.
            if (is_variable_name(key))
                found.all.push_back({.key = key, .file = path, .same = same == Json(true)});
        }
        if (path != env_file_path) continue;
        found.mark = text_at(said, "/mark");
        found.settled = kube::bool_at(said, "/settled");
    }
    return found;
}

Shadows find_shadows(kube::Client& client, const Target& agent, const std::vector<std::string>& keys) {
    Shadows found = agent.running ? shadows_of(look_inside(client, agent.ns, agent.pod, keys))
                                  : unknown("no agent runs: " + agent.why, agent.hint);
    found.target = agent;
    return found;
}

std::string remove_shadows(kube::Client& client, const Shadows& shadows,
                           const std::function<void()>& each_round) {
    Json keys = Json::array();
    for (const Shadow& shadow : shadows.all) {
        if (shadow.mendable()) keys.push_back(shadow.key);
    }
    const std::string path(env_file_path);
    if (keys.empty()) throw Error(ExitCode::failed, fmt::format("nothing is to be taken out of {}", path));
    const std::string stamp = file_stamp(client.clock().wall());
    const Target& target = shadows.target;
    const auto command = command_as(
        target, As::agent, python_command(reading_script("unshadow.py"), {keys.dump(), shadows.mark, stamp}));
    const kube::ExecOutput done =
        run_in_agent(client, in_agent(target.ns, target.pod, command), "", 30s, each_round);
    if (done.exit_code == 0) return fmt::format("{}.before-{}", path, stamp);
    if (done.exit_code == changed_meanwhile)
        throw Error(ExitCode::failed, fmt::format("{} was changed meanwhile, and stays as it is", path),
                    "run this again");
    const std::string why =
        done.exit_code == refused ? tamed(done.err) : complaint_of(done.exit_code, done.err);
    throw Error(
        ExitCode::failed, fmt::format("{} stays as it is: {}", path, why),
        fmt::format("hermesctl exec -- ls -l {}; hermesctl restart gives it back to the agent", path));
}

}  // namespace hermesctl::hermes
