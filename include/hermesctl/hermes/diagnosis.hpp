// From what the server and the agent say now to: does it answer, what is it waiting for, and what is wrong.
// Pure. Waiting reasons: kubelet (pkg/kubelet/images, container/sync_result.go); rollout: kubectl's
// rollout_status.go.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/report.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/kube/object.hpp"

#include <optional>
#include <string>
#include <vector>

namespace hermesctl::hermes {

using kube::Objects;

struct Snapshot {
    kube::Json deployment{};  // null: it is not there
    Objects replica_sets{};
    Objects pods{};
    kube::Json claim{};
    Objects events{};
    std::optional<AgentFacts> agent{};  // counts only if it is of the newest pod
    int gateway_starts = 0;             // seen in the newest pod's container while it ran
    bool exec_denied = false;           // then the pod's Ready decides
    std::string exec_failure{};         // why it could not be asked
    Clock::Wall moment{};               // when this was so, by the server's clock
};

/// How long a trouble may last before it ends the wait.
enum class Patience { none, minute };

struct Trouble {
    std::string kind{};     // stays the same while the wording changes ("image-pull")
    std::string subject{};  // "pod/hermes-abc"
    std::string cause{};
    std::string hint{};
    Patience patience = Patience::minute;
};

struct Assessment {
    std::vector<Event> rows{};  // for the board, in order
    std::optional<Trouble> trouble{};
    std::string pod{};       // the newest one; "" if there is none
    bool running = false;    // its agent container runs: it can be asked
    bool pulling = false;    // an image is being pulled: the time limit rests
    bool answering = false;  // the gateway of the newest pod has Telegram connected
};

Assessment assess(const Snapshot&);

/// The agent's volume is full, though it may answer for as long as it need not write.
std::optional<Trouble> disk_trouble(const AgentFacts&, const std::string& subject, const kube::Json& claim);

/// The pod of the Deployment's newest template that is not on its way out; null when there is none.
const kube::Json& newest_pod(const Snapshot&);

}  // namespace hermesctl::hermes
