// Runs reach.py in the pod and in its twin at the same time, in one thread.
#include "hermesctl/hermes/live_proof.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/embedded.hpp"
#include "hermesctl/hermes/reach.hpp"
#include "hermesctl/kube/exec.hpp"
#include "items.hpp"
#include "throwaway_job.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using namespace std::chrono_literals;
using kube::at;
using kube::text_at;

constexpr auto twin_start = 6s;  // its image is on the node
constexpr auto longest = 10s;    // once the pod is asked, on a slow node
constexpr const char* probe_seconds = "3";
constexpr const char* quick_seconds = "1.2";
constexpr std::size_t largest_answer = 64 * 1024;
constexpr std::size_t longest_complaint = 1000;

std::vector<std::string> probe_of(const std::vector<ReachTarget>& targets, bool quick) {
    Json list = Json::array();
    for (const ReachTarget& target : targets)
        list.push_back(
            {{"name", target.name()}, {"by", target.by}, {"host", target.host}, {"port", target.port}});
    return python_command(embedded("reach.py"), {quick ? quick_seconds : probe_seconds, list.dump()});
}

/// One reach.py under way; nothing that fails there is thrown.
class Probe {
  public:
    Probe(kube::Client& client, const std::string& ns, const std::string& pod, const std::string& container,
          const std::vector<ReachTarget>& targets, bool quick)
        : targets_(targets) {
        try {
            session_.emplace(
                client.transport(),
                kube::ExecRequest{
                    .ns = ns, .pod = pod, .container = container, .argv = probe_of(targets, quick)});
        } catch (const Error& error) {
            fail(error);
        }
    }

    std::optional<net::Wake> wake() const {
        if (!session_) return std::nullopt;
        return session_->wake();
    }
    /// True while it runs.
    bool pump() {
        if (!session_) return false;
        try {
            const bool alive = session_->pump(
                {[this](std::string_view bytes) { append_up_to(largest_answer, out_, bytes); },
                 [this](std::string_view bytes) { append_up_to(longest_complaint, err_, bytes); }});
            if (alive) return true;
            reached_ = parse_reached(out_, targets_);
            if (!reached_) failure_ = complaint_of(session_->exit_code(), err_);
        } catch (const Error& error) {
            fail(error);
        }
        session_.reset();
        return false;
    }
    void give_up() {
        if (session_) failure_ = "it gave no answer in time";
        session_.reset();
    }
    const std::optional<Reached>& reached() const { return reached_; }
    const std::string& failure() const { return failure_; }
    bool denied() const { return denied_; }

  private:
    void fail(const Error& error) {
        if (error.code() == ExitCode::interrupted) throw Error(error);
        failure_ = error.message();
        denied_ = error.code() == ExitCode::denied;
    }

    const std::vector<ReachTarget>& targets_;
    std::optional<kube::ExecSession> session_{};
    std::string out_{};
    std::string err_{};
    std::optional<Reached> reached_{};
    std::string failure_{};
    bool denied_ = false;
};

class Proving {
  public:
    Proving(kube::Client& client, const Observation& seen, const ProofOptions& options, Reporter& reporter)
        : client_(client),
          seen_(seen),
          pod_(seen.agent.object),
          around_(surroundings_of(seen)),
          options_(options),
          reporter_(reporter) {
        std::ranges::copy(options_.lan_targets, std::back_inserter(around_.lan));
        twin_.left_out = options_.quick;  // whether an agent runs or not
        if (!seen.agent.running) no_pod_.why = "no agent runs: " + seen.agent.why;
    }

    Checks run() {
        const std::vector<ReachTarget> targets = chosen();
        if (no_pod_.why.empty()) probe(targets);
        Checks checks = judge_reach(targets, pod_reached_, no_pod_, twin_, around_);
        for (Check& check : checks) {
            if (check.id == "live-lan") check.decisive = decides(check);
        }
        return checks;
    }

  private:
    /// Without a twin no listener is proved to be out of reach. Where only the settings name one, as at the
    /// end of each deploy, that is no reason to fail.
    bool decides(const Check& lan) const {
        return !options_.quick || !options_.lan_targets.empty() || lan.verdict != Verdict::inconclusive;
    }

    std::vector<ReachTarget> chosen() const {
        std::vector<ReachTarget> targets = reach_targets(around_);
        if (options_.quick)
            std::erase_if(targets, [](const ReachTarget& one) {
                return one.listener == Listener::perhaps && !one.lifeline;
            });
        return targets;
    }

    /// The pod's probe waits for the twin's, so that both see the same network.
    void probe(const std::vector<ReachTarget>& targets) {
        std::optional<AskedJob> job;
        if (!options_.quick) job.emplace(client_, twin_job(seen_.names, pod_), "twin", twin_start);
        reporter_.on(
            {"verify", "probes", State::waiting,
             fmt::format("{} addresses are tried{}", targets.size(), job ? ", from the twin too" : "")});
        std::optional<Probe> caged;
        std::optional<Probe> twin;
        auto end = client_.clock().now() + twin_start + longest;
        while (client_.clock().now() < end) {
            if (job && !twin) start_twin(*job, twin, targets);
            if (!caged && (!job || twin || !job->why_not().empty())) {
                start(caged, pod_, container_name, targets);
                end = client_.clock().now() + longest;
            }
            const bool caged_runs = caged && caged->pump();
            const bool twin_runs = twin && twin->pump();
            if (caged && !caged_runs && !twin_runs) break;
            wait(caged, twin);
        }
        if (caged) caged->give_up();
        if (twin) twin->give_up();
        take(caged, twin, job ? job->why_not() : "");
    }

    void start(std::optional<Probe>& probe, const Json& pod, std::string_view container,
               const std::vector<ReachTarget>& targets) {
        probe.emplace(client_, seen_.names.ns, text_at(pod, "/metadata/name"), std::string(container),
                      targets, options_.quick);
    }

    void start_twin(AskedJob& job, std::optional<Probe>& twin, const std::vector<ReachTarget>& targets) {
        const Json pod = job.running_pod();
        if (pod.is_null()) return;
        twin_.cage = twin_cage(seen_.round.of(seen_.names.policies()), pod);
        start(twin, pod, "twin", targets);
    }

    void wait(const std::optional<Probe>& caged, const std::optional<Probe>& twin) {
        std::vector<net::Wake> wakes;
        for (const std::optional<Probe>* probe : {&caged, &twin}) {
            if (!*probe) continue;
            if (const auto wake = (*probe)->wake()) wakes.push_back(*wake);
        }
        client_.transport().poll(100ms, wakes);
        reporter_.tick();
    }

    void take(const std::optional<Probe>& caged, const std::optional<Probe>& twin,
              const std::string& why_not) {
        if (caged) pod_reached_ = caged->reached();
        if (!pod_reached_)
            no_pod_.why =
                "the pod could not be asked: " + (caged ? scrub(caged->failure()) : "no time was left");
        if (caged && caged->denied()) no_pod_.hint = right_to_exec_hint(seen_.names.ns);
        if (twin) twin_.reached = twin->reached();
        twin_.why_not =
            twin && !twin_.reached ? "the twin could not be asked: " + scrub(twin->failure()) : why_not;
        if (!twin_.why_not.empty()) reporter_.on({"verify", "twin", State::warning, twin_.why_not});
        if (twin_.why_not.empty() && !twin_.cage.why.empty())
            reporter_.on({"verify", "twin", State::warning,
                          twin_.cage.why + ": what it does not reach proves nothing"});
        reporter_.on({"verify", "probes", State::done, "done"});
    }

    kube::Client& client_;
    const Observation& seen_;
    const Json& pod_;
    Surroundings around_;
    const ProofOptions& options_;
    Reporter& reporter_;
    NoPod no_pod_{};
    std::optional<Reached> pod_reached_{};
    Twin twin_{};
};

}  // namespace

Json twin_job(const Names& names, const Json& pod) {
    const Json& status = kube::with_name(at(pod, "/status/containerStatuses"), container_name);
    const std::string digest = text_at(status, "/imageID");  // of a local image it names no repository
    const bool pinned = digest.find("@sha256:") != std::string::npos;
    Json job = throwaway_job("twin.yaml", names, at(pod, "/spec"));
    Json& spec = job["/spec/template/spec"_json_pointer];
    spec["/containers/0/image"_json_pointer] = pinned ? digest : text_at(status, "/image");
    spec["nodeName"] = at(pod, "/spec/nodeName");
    return job;
}

TwinCage twin_cage(const kube::Outcome& policies, const Json& twin) {
    if (policies.error)
        return {"whether a policy selects the twin too is not known: " + policies.error->message(),
                "let this account list networkpolicies in the namespace"};
    const Sender sender{text_at(twin, "/metadata/namespace"), at(twin, "/metadata/labels")};
    const Reach reach = reach_of(sender, items_of(policies), {});
    if (!reach.isolated()) return {};
    return {fmt::format("networkpolicy/{} {} the twin too", fmt::join(reach.policies, " and networkpolicy/"),
                        reach.policies.size() == 1 ? "selects" : "select"),
            "let that policy leave out app.kubernetes.io/component=twin (docs/checks.md#live)"};
}

Checks prove_live(kube::Client& client, const Observation& seen, const ProofOptions& options,
                  Reporter& reporter) {
    return Proving(client, seen, options, reporter).run();
}

}  // namespace hermesctl::hermes
