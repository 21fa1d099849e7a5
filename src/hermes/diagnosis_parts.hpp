// The parts of diagnosis.cpp: troubles of a Deployment, a pod and its containers, and the agent.
#pragma once

#include "hermesctl/hermes/diagnosis.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace hermesctl::hermes {

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// "pod/NAME".
std::string subject_of(const kube::Json& pod);
/// The command that tells more of it.
std::string describe(const kube::Json& object, const std::string& subject);

struct PodState {
    bool running = false;
    bool started = false;  // its startup probe has seen a gateway
    bool pulling = false;
    std::string detail{};  // what it waits for
    std::optional<Trouble> trouble{};
};

PodState pod_state(const kube::Json& pod, const kube::Json& claim, const Objects& events);
bool pod_is_ready(const kube::Json& pod);
/// Null where there is none of this type.
const kube::Json& condition(const kube::Json& object, std::string_view type);
std::optional<Trouble> deployment_trouble(const kube::Json& deployment);
/// `starts`: of the gateway, seen in this container; `started`: the container's startup probe has succeeded.
std::optional<Trouble> agent_trouble(const AgentFacts&, int starts, bool started, const kube::Json& pod,
                                     const kube::Json& claim);
/// The trouble of one container's status, init or not.
std::optional<Trouble> container_trouble(const kube::Json& status, const kube::Json& pod);

}  // namespace hermesctl::hermes
