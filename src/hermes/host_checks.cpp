// Rows about the pod and its node: nothing of the node is the pod's.
#include "hermes/inspection_parts.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/hardening.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::bool_at;
using kube::text_at;

constexpr Heading namespaces{"host-namespaces", "host", "no namespace of the node is shared"};
constexpr Heading paths{"host-paths", "host", "no folder of the node is mounted"};
constexpr Heading privilege{"host-privilege", "host", "no container is privileged or may become so"};
constexpr Heading capabilities{"host-capabilities", "host", "no capability beyond what the image needs"};
constexpr Heading confinement{"host-confinement", "host", "system calls are filtered (seccomp)"};
constexpr Heading hardened{"host-hardened", "host",
                           "nothing in the pod is root, or writes to the image's files"};
constexpr Heading uid{"host-uid", "host", "the gateway runs as the agent's user"};
constexpr Heading icmp{"host-icmp", "host", "ICMP sockets are closed"};
constexpr Heading pod_security{"host-pod-security", "host", "the namespace enforces a Pod Security level"};

void judge_namespaces(const Premises& premises, const Subject& subject, Findings& findings) {
    for (const char* field : {"hostNetwork", "hostPID", "hostIPC"}) {
        if (bool_at(*subject.pod, fmt::format("/spec/{}", field)))
            findings.fail(fmt::format("{} has {}", subject.title, field), take_out(premises, subject));
    }
}

void judge_paths(const Premises& premises, const Subject& subject, Findings& findings) {
    for (const Json& volume : at(*subject.pod, "/spec/volumes")) {
        if (!volume.contains("hostPath")) continue;
        findings.fail(fmt::format("volume {} of {} is {} of the node", text_at(volume, "/name"),
                                  subject.title, text_at(volume, "/hostPath/path")),
                      take_out(premises, subject));
    }
}

void judge_privilege(const Premises& premises, const Subject& subject, Findings& findings) {
    for (const Container& container : containers_of(subject)) {
        const Json& context = at(*container.spec, "/securityContext");
        const std::string remedy = put_back(premises, subject, container);
        const Json& escalation = at(context, "/allowPrivilegeEscalation");
        if (bool_at(context, "/privileged")) {
            findings.fail(container.title + " is privileged", take_out(premises, subject));
        } else if (escalation == Json(true) || (escalation.is_null() && container.role != Role::init)) {
            findings.fail(container.title + " may escalate its privileges", remedy);
        } else if (escalation.is_null()) {  // it has ended before the agent starts
            findings.warn(container.title + " may escalate its privileges", remedy);
        }
        if (text_at(context, "/procMount") == "Unmasked")
            findings.fail(container.title + " sees all of /proc", take_out(premises, subject));
    }
}

/// What container runtimes give when nothing is said, without NET_RAW.
const std::set<std::string>& usual_capabilities() {
    static const std::set<std::string> usual{
        "AUDIT_WRITE",      "CHOWN",  "DAC_OVERRIDE", "FOWNER", "FSETID",    "KILL", "MKNOD", "SETFCAP",
        "NET_BIND_SERVICE", "SETGID", "SETPCAP",      "SETUID", "SYS_CHROOT"};
    return usual;
}

std::set<std::string> capability_names(const Json& list) {
    std::set<std::string> names;
    for (const Json& item : list) {
        if (!item.is_string()) continue;
        const std::string name = upper(item.get_ref<const std::string&>());
        names.insert(name.starts_with("CAP_") ? name.substr(4) : name);
    }
    return names;
}

void judge_capabilities(const Premises& premises, const Subject& subject, Findings& findings) {
    for (const Container& container : containers_of(subject)) {
        const auto added = capability_names(at(*container.spec, "/securityContext/capabilities/add"));
        const auto dropped = capability_names(at(*container.spec, "/securityContext/capabilities/drop"));
        std::vector<std::string> beyond;
        std::ranges::set_difference(added, usual_capabilities(), std::back_inserter(beyond));
        const std::string remedy = put_back(premises, subject, container);
        if (!beyond.empty())
            findings.fail(fmt::format("{} has {}", container.title, fmt::join(beyond, ", ")), remedy);
        if (added.contains("NET_RAW") || dropped.contains("ALL") || dropped.contains("NET_RAW")) continue;
        const std::string raw = container.title + " keeps NET_RAW";
        if (container.role == Role::init) {
            findings.warn(raw, remedy);  // it has ended before the agent starts
        } else {
            findings.fail(raw, remedy);
        }
    }
}

void judge_confinement(const Premises& premises, const Subject& subject, Findings& findings) {
    const Json& pod = at(*subject.pod, "/spec/securityContext");
    for (const Container& container : containers_of(subject)) {
        const Json& own = at(*container.spec, "/securityContext");
        const auto type = [&](const char* profile) {
            const std::string pointer = fmt::format("/{}/type", profile);
            return text_at(own, pointer, text_at(pod, pointer));
        };
        const std::string seccomp = type("seccompProfile");
        const std::string remedy = put_back(premises, subject, container);
        if (seccomp.empty()) {
            findings.fail(container.title + " names no seccomp profile", remedy);
        } else if (seccomp == "Unconfined") {
            findings.fail(container.title + " is outside of seccomp", remedy);
        }
        if (type("appArmorProfile") == "Unconfined")
            findings.fail(container.title + " is outside of AppArmor", take_out(premises, subject));
    }
}

using Judge = void (*)(const Premises&, const Subject&, Findings&);

Check check_pods(const Premises& premises, const Heading& heading, Judge judge) {
    Findings findings;
    note_missing_pods(premises, findings);
    std::size_t containers = 0;
    for (const Subject& subject : subjects_of(premises)) {
        judge(premises, subject, findings);
        containers += containers_of(subject).size();
    }
    return findings.row(heading, fmt::format("{} containers in {} {}", containers, premises.pods.items.size(),
                                             premises.pods.items.size() == 1 ? "pod" : "pods"));
}

/// The form of deploy --hardened, where it was asked for or is there.
Check check_hardened(const Premises& premises) {
    Findings findings;
    note_missing_pods(premises, findings);
    std::string lacking;
    for (const Subject& subject : subjects_of(premises)) {
        if (const std::string lack = lacking_hardness(at(*subject.pod, "/spec")); !lack.empty()) {
            lacking = fmt::format("{} in {}", lack, subject.title);
            findings.fail(lacking, subject.of_deployment ? "hermesctl deploy --force-conflicts"
                                                         : take_out(premises, subject));
        }
    }
    Check check = findings.row(hardened, "no root, no capabilities, read-only root file systems");
    if (!lacking.empty() && !wants_hardness(premises.deployment)) {
        check.verdict = Verdict::not_applicable;
        check.evidence = "not asked for: the official image starts as root, and drops it for the agent";
        check.hint.clear();
    }
    return check;
}

Check check_uid(const Premises& premises) {
    Findings findings;
    if (!looked_inside(premises, findings)) return findings.row(uid, "");
    const Json& gateways = at(premises.inside, "/gateways");
    if (gateways.empty()) findings.unknown("no gateway process runs", "hermesctl status");
    for (const Json& gateway : gateways) {
        const Json& uids = at(gateway, "/uids");
        const auto is = [&](std::int64_t id) { return [id](const Json& one) { return one == Json(id); }; };
        if (!uids.is_array() || uids.size() != 4) {
            findings.unknown("the user of the gateway's process is not known", "hermesctl status");
        } else if (std::ranges::any_of(uids, is(0))) {
            findings.fail("a gateway runs as root",
                          "hermesctl deploy --force-conflicts, then hermesctl restart");
        } else if (bool_at(gateway, "/capabilities")) {
            findings.fail("a gateway has capabilities",
                          "hermesctl deploy --force-conflicts, then hermesctl restart");
        } else if (!std::ranges::all_of(uids, is(agent_user))) {
            findings.warn(fmt::format("a gateway runs as {}, not {}", uids.front().dump(), agent_user),
                          fmt::format("kubectl -n {} set env deployment/{} HERMES_UID- PUID-",
                                      premises.names.ns, premises.names.name));
        }
    }
    return findings.row(uid, fmt::format("uid {}, no capabilities", agent_user));
}

/// A range whose first group is above its last holds nobody.
std::optional<bool> is_closed(const std::string& range) {
    std::istringstream text(range);
    std::int64_t first = 0;
    std::int64_t last = 0;
    if (!(text >> first >> last)) return std::nullopt;
    return first > last;
}

Check check_icmp(const Premises& premises) {
    Findings findings;
    const std::string remedy = "hermesctl deploy --force-conflicts";
    const std::string seen = text_at(premises.inside, "/ping");
    std::string range = seen;
    for (const Json& sysctl : at(*newest_subject(premises).pod, "/spec/securityContext/sysctls")) {
        if (seen.empty() && text_at(sysctl, "/name") == "net.ipv4.ping_group_range")
            range = text_at(sysctl, "/value");
    }
    const auto closed = is_closed(range);
    if (closed && !*closed) {
        findings.fail(fmt::format("groups {} may send ICMP, which no policy stops", range), remedy);
    } else if (!closed && looked_inside(premises, findings)) {
        findings.unknown("net.ipv4.ping_group_range cannot be read in the pod", remedy);
    } else if (closed && seen.empty()) {
        note_missing_pods(premises, findings);  // the template says so
    }
    return findings.row(icmp, fmt::format("net.ipv4.ping_group_range is \"{}\"", range));
}

Check check_pod_security(const Premises& premises) {
    Findings findings;
    std::string level;
    if (!premises.name_space.known()) {
        findings.unknown(premises.name_space.failure,
                         fmt::format("grant get on namespace {}", premises.names.ns));
    } else if (!premises.name_space.items.empty()) {
        level = text_at(premises.name_space.items.front(),
                        "/metadata/labels/pod-security.kubernetes.io~1enforce");
    }
    if (premises.name_space.known() && level != "baseline" && level != "restricted") {
        findings.warn(level.empty() ? "no level is enforced" : fmt::format("{} is enforced", level),
                      fmt::format("kubectl label --overwrite namespace {} "
                                  "pod-security.kubernetes.io/enforce=baseline",
                                  premises.names.ns));
    }
    Check check = findings.row(pod_security, level + " is enforced");
    check.decisive = false;  // it guards pods to come; the other rows judge those that are there
    return check;
}

}  // namespace

Checks host_checks(const Premises& premises) {
    return {check_pods(premises, namespaces, judge_namespaces),
            check_pods(premises, paths, judge_paths),
            check_pods(premises, privilege, judge_privilege),
            check_pods(premises, capabilities, judge_capabilities),
            check_pods(premises, confinement, judge_confinement),
            check_hardened(premises),
            check_uid(premises),
            check_icmp(premises),
            check_pod_security(premises)};
}

}  // namespace hermesctl::hermes
