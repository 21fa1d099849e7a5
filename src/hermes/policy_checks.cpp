#include "hermesctl/hermes/policy_checks.hpp"

#include "hermesctl/hermes/policy.hpp"
#include "policy_rows.hpp"
#include "ranges.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using Texts = std::vector<std::string>;

/// Opened on purpose: the cluster's DNS, network.dns, network.nat64, network.allow.
Traffic wanted(const PolicyPremises& premises) {
    Traffic sum = to_all(premises.cluster.dns_addresses, dns_ports()) |
                  to_all(premises.values.network.dns, dns_ports());
    for (const std::string& prefix : premises.values.network.nat64) {
        sum = sum | (Traffic(prefix, web_ports()) -
                     to_all(closed_behind(prefix, premises.values, premises.cluster), Ports::all()));
    }
    for (const std::string& text : premises.values.network.allow) {
        if (const auto target = parse_target(text))
            sum = sum | Traffic(target->host, Ports::of(Protocol::tcp, target->port, target->port));
    }
    return sum;
}

/// In a file nobody says which addresses are the DNS: single ones that are open on 53 alone.
Traffic likely_dns(const Reach& reach) {
    Traffic sum;
    for (const Grant& grant : reach.grants) {
        for (const Json& peer : at(grant.json, "/to")) {
            const auto range = parse_range(text_at(peer, "/ipBlock/cidr"));
            if (range && range->bits == (range->v6 ? 128 : 32))
                sum = sum | Traffic(range->text(), dns_ports());
        }
    }
    return sum;
}

class Judge {
  public:
    explicit Judge(const PolicyPremises& premises)
        : premises_(premises),
          reach_(reach_of(premises)),
          inside_(inside(premises)),
          wanted_(premises.in_cluster ? wanted(premises) : likely_dns(reach_) & inside_) {}

    Checks run() const {
        Checks all{
            present(), leaks(),      open_ports(), check_pods(premises_, reach_), check_port_names(reach_),
            ingress(), other_kinds()};
        if (!premises_.own.empty()) all.push_back(drift());
        all.push_back(gaps());
        if (!premises_.failure.empty()) take_back(all);
        return all;
    }

  private:
    /// All that the policies would tell, where they could not be read.
    void take_back(Checks& all) const {
        for (Check& check : all) {
            if (check.id == "policy-other-kinds" || check.id == "policy-gaps") continue;
            check.verdict = Verdict::inconclusive;
            check.evidence = "the policies could not be read";
            check.hint.clear();
        }
        all.front().evidence = premises_.failure;
        all.front().hint = fmt::format("grant list on networkpolicies in namespace {}", premises_.sender.ns);
    }

    static Check row(const char* id, const char* title) {
        return {.id = id, .group = "policy", .title = title, .verdict = Verdict::pass};
    }

    Check present() const {
        Check check = row("policy-present", "a NetworkPolicy cages the pod");
        check.evidence = fmt::format("selected by {}", fmt::join(reach_.policies, ", "));
        if (!reach_.isolated()) {
            check.verdict = Verdict::fail;
            check.evidence = "no policy selects the pod for egress: everything is open to it";
        } else if (!premises_.own.empty() &&
                   std::ranges::find(reach_.policies, premises_.own) == reach_.policies.end()) {
            check.verdict = Verdict::fail;
            check.evidence += fmt::format("; networkpolicy/{} is not there, or does not select it for egress",
                                          premises_.own);
        }
        if (check.verdict == Verdict::fail) check.hint = remedy("Egress");
        return check;
    }

    std::string remedy(std::string_view type) const {
        return premises_.own.empty() ? fmt::format("add a policy for {} that selects the pod", type)
                                     : "hermesctl deploy";
    }

    /// One packet, to an address that people know where there is one.
    static std::optional<Packet> telling_example(const Traffic& traffic) {
        for (const char* range : {"192.168.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "100.64.0.0/10"}) {
            if (auto packet = (traffic & Traffic(range, Ports::all())).example()) return packet;
        }
        return traffic.example();
    }

    /// For each rule that lets something of `forbidden` through: one packet and the rule.
    Texts examples(const Traffic& forbidden) const {
        Texts texts;
        for (const Grant& grant : reach_.grants) {
            const auto packet = telling_example((grant.ranges & forbidden) - wanted_);
            if (packet) texts.push_back(fmt::format("{} by {}", packet->text(), grant.text()));
        }
        return texts;
    }

    /// How a rule that opens too much is mended: what to do in a file, or to what is in a cluster.
    std::string mend(std::string_view in_file, std::string_view in_cluster) const {
        if (!reach_.isolated()) return remedy("Egress");
        if (premises_.own.empty()) return std::string(in_file);
        return fmt::format(
            "kubectl -n {} edit the policy that is named{}, or name what is wanted under network.allow in "
            "your hermes.yaml",
            premises_.sender.ns, in_cluster);
    }

    /// All that is open and should not be, so that one round of mending is enough.
    std::string close_it() const {
        constexpr std::size_t most_shown = 16;  // more than there are special ranges of IPv4
        const std::string ranges =
            some_of(((reach_.ranges() & inside_) - wanted_).ranges(), ", ", most_shown);
        return mend("narrow the rule, or add to its except: " + ranges, fmt::format(" (open: {})", ranges));
    }

    Check leaks() const {
        Check check = row("policy-leaks", "nothing private, special or of the cluster is open");
        const Texts found = examples(inside_);
        if (!found.empty()) {
            check.verdict = Verdict::fail;
            check.evidence = some_of(found);
            check.hint = close_it();
            return check;
        }
        if (premises_.cluster.incomplete) {
            check.verdict = Verdict::inconclusive;
            check.evidence = "special ranges are closed; not all of the cluster's own addresses are known";
            check.hint = "see the row about what is not known";
            return check;
        }
        const Traffic open = reach_.ranges();
        check.evidence = open.empty() ? "no address is open by range"
                                      : fmt::format("open: {}", some_of((open & wanted_).text()));
        if (!open.empty() && (open & wanted_).empty()) check.evidence = "all of it is public";
        if (!premises_.in_cluster) check.evidence += "; the cluster's own public addresses are not in a file";
        return check;
    }

    Check open_ports() const {
        Check check = row("policy-open-ports", "of public addresses only TCP 443 and 80 are open");
        const Texts found = examples(Traffic(Ports::all()) - inside_ - Traffic(web_ports()));
        check.evidence = "no other";
        if (!found.empty()) {
            check.verdict = Verdict::fail;
            check.evidence = some_of(found);
            check.hint =
                mend("let the rule open TCP 443 and 80 alone", " so that it opens TCP 443 and 80 alone");
        }
        return check;
    }

    Check ingress() const {
        Check check = row("policy-ingress", "nothing may connect to the pod");
        const Visitors visitors = who_may_come(premises_.sender, premises_.policies);
        check.evidence = "no rule lets anybody in";
        if (!visitors.lines.empty()) {
            check.verdict = Verdict::fail;
            check.evidence = some_of(visitors.lines);
            check.hint = visitors.isolated ? "remove the rule" : remedy("Ingress");
        }
        return check;
    }

    Check other_kinds() const {
        Check check = row("policy-other-kinds", "no other kind of policy changes the answer");
        check.decisive = false;
        check.evidence = premises_.in_cluster ? "there is none" : "none in the file";
        if (!premises_.other_kinds.empty()) {
            check.verdict = Verdict::warn;
            check.hint = "hermesctl verify measures what they do; read them, they can open and close";
        } else if (!premises_.unread_kinds.empty()) {
            check.verdict = Verdict::inconclusive;
            check.hint = "grant list on them";
        }
        if (const std::string kinds = not_counted(premises_); !kinds.empty()) check.evidence = kinds;
        return check;
    }

    Check drift() const {
        Check check = row("policy-drift", "the policy has each rule that deploy would write now");
        check.decisive = false;
        const auto own = std::ranges::find_if(premises_.policies, [&](const Json& policy) {
            return text_at(policy, "/metadata/name") == premises_.own;
        });
        if (own == premises_.policies.end()) {
            check.verdict = Verdict::warn;
            check.evidence = fmt::format("networkpolicy/{} is not there", premises_.own);
            check.hint = "hermesctl deploy";
            return check;
        }
        const Json should = egress_rules(premises_.values, premises_.cluster, foreign_rules(*own));
        Texts missing;
        for (const Json& rule : should) {
            const Json& rules = at(*own, "/spec/egress");
            if (std::find(rules.begin(), rules.end(), rule) == rules.end())
                missing.push_back(rule_text(rule));
        }
        check.evidence = "it has";
        if (!missing.empty()) {
            check.verdict = Verdict::warn;
            check.evidence = "the cluster has changed since, or somebody changed the policy; it lacks: " +
                             some_of(missing).substr(0, 400);
            check.hint = "hermesctl diff, then hermesctl deploy";
        }
        return check;
    }

    Check gaps() const {
        Check check = row("policy-gaps", "all of the cluster's own addresses are known");
        check.decisive = false;
        if (!premises_.in_cluster) {
            check.verdict = Verdict::not_applicable;
            check.evidence =
                "a file knows no cluster: its nodes and its API server may have public addresses";
            return check;
        }
        Texts texts;
        for (const Gap& gap : premises_.cluster.gaps)
            texts.push_back(gap.why);
        for (const Json& pod : premises_.neighbours.pods)
            note_public(pod, texts);
        check.evidence =
            "nodes, API server, pods, Services, load balancers; your router's own public address is in no "
            "list: where it forwards ports, name it under network.except";
        if (!texts.empty()) {
            check.verdict = Verdict::warn;
            check.evidence = some_of(texts);
            check.hint = "write it into your hermes.yaml, then hermesctl deploy -f FILE";
        }
        return check;
    }

    /// A pod outside of all that is closed: the ranges that are known are not all.
    void note_public(const Json& pod, Texts& texts) const {
        for (const std::string& address : pod_addresses(pod)) {
            if ((Traffic(address, Ports::all()) - inside_).empty()) continue;
            texts.push_back(
                fmt::format("pod {} in {} has the address {}, outside of the pod ranges that are known",
                            text_at(pod, "/metadata/name"), text_at(pod, "/metadata/namespace"), address));
        }
    }

    const PolicyPremises& premises_;
    Reach reach_;
    Traffic inside_;
    Traffic wanted_;
};

}  // namespace

std::string not_counted(const PolicyPremises& premises) {
    Texts kinds = premises.other_kinds;
    for (const std::string& kind : premises.unread_kinds)
        kinds.push_back(kind + " (may not be listed)");
    return kinds.empty() ? "" : "not counting " + some_of(kinds, ", ");
}

std::string some_of(const std::vector<std::string>& all, std::string_view between, std::size_t most_shown) {
    const std::vector<std::string> shown(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most_shown)));
    const std::string more =
        all.size() > most_shown ? fmt::format("{}and {} more", between, all.size() - most_shown) : "";
    return fmt::format("{}{}", fmt::join(shown, between), more);
}

const Ports& web_ports() {
    static const Ports ports = Ports::of(Protocol::tcp, 443, 443) | Ports::of(Protocol::tcp, 80, 80);
    return ports;
}

const Ports& dns_ports() {
    static const Ports ports = Ports::of(Protocol::udp, 53, 53) | Ports::of(Protocol::tcp, 53, 53);
    return ports;
}

Reach reach_of(const PolicyPremises& premises) {
    return reach_of(premises.sender, premises.policies, premises.neighbours);
}

Traffic to_all(const std::vector<std::string>& ranges, const Ports& ports) {
    Traffic sum;
    for (const std::string& range : ranges)
        sum = sum | Traffic(range, ports);
    return sum;
}

Traffic inside(const PolicyPremises& premises) {
    Traffic v6("::/0", Ports::all());
    // Of a file nobody knows whether its cluster has IPv4.
    if (!premises.in_cluster || opens_v6(premises.values, premises.cluster))
        v6 = v6 - Traffic(everything_v6, Ports::all());
    return v6 | to_all(closed_ranges(premises.values, premises.cluster, false), Ports::all()) |
           to_all(closed_ranges(premises.values, premises.cluster, true), Ports::all());
}

Checks policy_checks(const PolicyPremises& premises) {
    return Judge(premises).run();
}

}  // namespace hermesctl::hermes
