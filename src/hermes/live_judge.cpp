// From what pod and twin reached to rows.
#include "hermesctl/hermes/live_proof.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using Texts = std::vector<std::string>;

struct Row {
    const char* id;
    const char* title;
    const char* nothing;         // said where there is no such target
    bool from_services = false;  // they name the targets
};

/// tests/node/enforcer/differences.py has it measured. Nobody knows what listens there.
constexpr const char* node_port_hole =
    "; not tried: what listens on the node itself from 30000 to 32767, which kube-router leaves open "
    "whatever the policies say";

constexpr std::array rows{
    Row{"live-api", "the API server is out of reach", "its address is not known", true},
    Row{"live-kubelet", "the kubelets are out of reach", "no node is known"},
    Row{"live-dns-ports", "of the cluster's DNS only port 53 is in reach",
        "the DNS Service has port 53 alone", true},
    Row{"live-nodes", "the nodes are out of reach", "no node is known"},
    Row{"live-nodeports", "NodePorts are out of reach", "no Service has one", true},
    Row{"live-gateway", "the network's gateway is out of reach", "there is none"},
    Row{"live-lan", "the LAN is out of reach",
        "name a listener of yours: hermesctl verify --lan-target HOST:PORT"},
    Row{"live-metadata", "the cloud's metadata is out of reach", "there is none"},
    Row{"live-tailnet", "the tailnet is out of reach", "there is none"},
    Row{"live-resolvers", "other name servers are out of reach", ""},
    Row{"live-ntp", "UDP goes nowhere but to the DNS", ""},
    Row{"live-icmp", "ICMP is closed", ""},
    Row{"live-ipv6", "IPv6 is closed", "it is open on request (network.ipv6)"},
    Row{"live-telegram", "Telegram is in reach", ""},
    Row{"live-provider", "the model's provider is in reach",
        "hermesctl does not know how to ask this provider, or Hermes is sent to another address"},
};

std::string how(const Reached& reached, const ReachTarget& target) {
    const auto found = reached.find(target.name());
    return found == reached.end() ? "" : found->second;
}

/// One row's verdict out of those of its targets.
class Judge {
  public:
    Judge(Check check, const Reached& pod, const Twin& twin, const Surroundings& around)
        : pod_(pod), twin_(twin), around_(around), check_(std::move(check)) {}

    void look_at(const ReachTarget& target) {
        const std::string seen = how(pod_, target);
        if (seen.empty()) {
            untried_ = true;
            return unclear_.push_back(target.name() + " was not tried");
        }
        if (target.lifeline) return lifeline(target, seen);
        if (seen == "open") {
            own_node_ = own_node_ || leads_to_own_node(target, around_);
            return reached_.push_back(target.name());
        }
        const bool twin_open = twin_.reached && how(*twin_.reached, target) == "open";
        // A twin that is caged itself and does not get there is as good as none.
        const bool twin_tells = twin_.reached && (twin_open || twin_.cage.why.empty());
        // A kernel that gives no ICMP socket needs no comparison, nor a listener that is surely there.
        const bool told = seen == "denied" || (!twin_tells && target.listener == Listener::sure);
        // Without the name nothing was tried: the twin may ask another name server.
        if (target.row == "live-lan" && seen == "unresolved" && twin_open)
            return unclear_.push_back(target.name() + ": the pod did not find its name; give its address");
        compared_ = compared_ || twin_open;
        if (twin_open || told) return closed_.push_back(fmt::format("{} {}", target.name(), seen));
        if (target.listener == Listener::perhaps && (twin_tells || twin_.left_out))
            return nothing_.push_back(target.name());
        blind_ = blind_ || (twin_.reached && !twin_tells);
        alone_ = alone_ || !twin_.reached;
        unclear_.push_back(fmt::format("{}: {}", target.name(), without_comparison(seen, twin_tells)));
    }

    Check verdict() {
        if (!reached_.empty()) return fail();
        if (!unclear_.empty()) {
            check_.verdict = Verdict::inconclusive;
            check_.evidence = fmt::format("{}", fmt::join(unclear_, "; "));
            check_.hint = what_would_tell();
        } else if (closed_.empty()) {
            check_.verdict = Verdict::not_applicable;
            check_.evidence =
                fmt::format("nothing answers, not even to the twin: {}", fmt::join(nothing_, ", "));
        } else {
            check_.verdict = Verdict::pass;
            check_.evidence =
                fmt::format("{}{}", fmt::join(closed_, ", "), compared_ ? "; the twin reaches it" : "");
        }
        return check_;
    }

  private:
    std::string without_comparison(const std::string& seen, bool twin_tells) const {
        if (twin_tells) return "the twin does not reach it either";
        if (twin_.left_out)
            return seen + "; whether anybody listens only a twin could tell, and a quick look has none";
        return twin_.reached ? twin_.cage.why : twin_.why_not;
    }

    std::string what_would_tell() const {
        if (untried_) return "name fewer targets: what comes after so many is not tried";
        if (twin_.left_out)
            return check_.id == "live-lan" ? "hermesctl verify, with the same --lan-target if there was one"
                                           : "hermesctl verify";
        if (blind_) return twin_.cage.hint;
        if (alone_)
            return "mend what keeps the twin away (rights on jobs, pods and pods/exec, a quota, "
                   "Pod Security), then hermesctl verify";
        if (check_.id == "live-lan") return "name a listener that answers: --lan-target HOST:PORT";
        return "hermesctl verify again: what should answer there did not answer the twin";
    }

    void lifeline(const ReachTarget& target, const std::string& seen) {
        if (seen == "open") return closed_.push_back(target.name() + " open");
        // In so short a time it may as well be slow.
        if (twin_.left_out && (seen == "silent" || seen == "unresolved"))
            return unclear_.push_back(target.name() + ": no answer in the time that a quick look has");
        lost_ = true;
        const bool both = twin_.reached && twin_.cage.why.empty() && how(*twin_.reached, target) != "open";
        lost_alone_ = lost_alone_ || !both;
        reached_.push_back(fmt::format("{} is {}{}", target.name(), seen,
                                       both ? ", for the twin too: the cluster's own way out is cut" : ""));
    }

    Check fail() {
        check_.verdict = Verdict::fail;
        check_.evidence = fmt::format("{}{}", lost_ ? "" : "the pod reaches ", fmt::join(reached_, ", "));
        check_.hint =
            lost_alone_ ? "see what keeps the pod from there: network.except of your hermes.yaml, "
                          "then kubectl get networkpolicies -A"
            : lost_     ? "see what keeps this node from there: a firewall, a proxy, its name servers"
                        : "hermesctl verify --static names the rule; where none allows it, nothing enforces "
                          "it there (docs/checks.md#gate)";
        if (own_node_)
            check_.evidence += "; some networks let a pod reach its own node, whatever the policies say";
        return check_;
    }

    const Reached& pod_;
    const Twin& twin_;
    const Surroundings& around_;
    Check check_;
    Texts reached_{};
    Texts closed_{};
    Texts nothing_{};
    Texts unclear_{};
    bool lost_ = false;
    bool lost_alone_ = false;  // the twin gets there, or there is none
    bool compared_ = false;
    bool own_node_ = false;  // what is reached is the pod's own node
    bool blind_ = false;     // the twin's own cage is in the way
    bool alone_ = false;     // there is no twin to compare with
    bool untried_ = false;
};

std::string nothing_of(const Row& row, const Surroundings& around) {
    const bool of_dns = std::string_view(row.id) == "live-dns-ports";
    return of_dns && !around.no_witness.empty() ? around.no_witness : row.nothing;
}

void add_hole(Check& check, const Surroundings& around) {
    const bool well = check.verdict == Verdict::pass || check.verdict == Verdict::not_applicable;
    if (check.id == "live-nodeports" && around.kube_router && well) check.evidence += node_port_hole;
}

/// `targets`: the row's own.
Check row_of(const Row& row, const std::vector<ReachTarget>& targets, const std::optional<Reached>& pod,
             const NoPod& no_pod, const Twin& twin, const Surroundings& around) {
    Check check{.id = row.id, .group = "live", .title = row.title};
    if (targets.empty() && row.from_services && !around.unlisted.empty()) {
        check.evidence = "the Services, which name what is to be tried, are not known: " + around.unlisted;
        check.hint = "let this account list services in all namespaces";
    } else if (targets.empty()) {
        check.verdict = Verdict::not_applicable;
        check.evidence = nothing_of(row, around);
    } else if (!pod) {
        check.evidence = no_pod.why;
        check.hint = no_pod.hint;
    } else {
        Judge judge(std::move(check), *pod, twin, around);
        for (const ReachTarget& target : targets)
            judge.look_at(target);
        return judge.verdict();
    }
    return check;
}

}  // namespace

std::optional<Reached> parse_reached(std::string_view text, const std::vector<ReachTarget>& targets) {
    const Json json = Json::parse(text, nullptr, false);
    const Json& said = kube::at(json, "/reached");
    if (!said.is_object()) return std::nullopt;
    static constexpr std::array words{"open", "refused", "silent", "unreachable", "denied", "unresolved"};
    Reached reached;
    for (const ReachTarget& target : targets) {
        const auto found = said.find(target.name());
        if (found == said.end() || !found->is_string()) continue;
        if (std::ranges::find(words, found->get<std::string>()) != words.end())
            reached[target.name()] = *found;
    }
    return reached;
}

Checks judge_reach(const std::vector<ReachTarget>& targets, const std::optional<Reached>& pod,
                   const NoPod& no_pod, const Twin& twin, const Surroundings& around) {
    Checks all;
    for (const Row& row : rows) {
        std::vector<ReachTarget> its_own;
        std::ranges::copy_if(targets, std::back_inserter(its_own),
                             [&](const ReachTarget& one) { return one.row == row.id; });
        if (its_own.empty() && twin.left_out) continue;
        all.push_back(row_of(row, its_own, pod, no_pod, twin, around));
        add_hole(all.back(), around);
    }
    return all;
}

}  // namespace hermesctl::hermes
