// Reports as verify makes them: of a cage that holds, of one that leaks, and of one in which an agent put
// what it could into its rows.
#pragma once

#include "hermesctl/hermes/report.hpp"

#include <string>

namespace hermesctl::testing {

inline hermes::Report sample_report() {
    using hermes::Verdict;
    return {.context = "k3s",
            .server = "https://192.168.1.20:6443",
            .ns = "hermes",
            .instance = "hermes",
            .pod = "hermes-6d5f7c9b8-x2x4z",
            .image = "docker.io/nousresearch/hermes-agent:latest",
            .when = "2026-01-31T10:00:00.000000Z",
            .checks = {{"policy-leaks", "policy", "nothing private, special or of the cluster is open",
                        Verdict::pass, "all of it is public"},
                       {"live-api", "live", "the API server is out of reach", Verdict::pass,
                        "10.43.0.1:443: twin reaches it, pod is refused"},
                       {"live-telegram", "live", "Telegram is in reach", Verdict::pass,
                        "api.telegram.org:443 in 41 ms"},
                       {"live-tailnet", "live", "the tailnet is out of reach", Verdict::not_applicable,
                        "no tailnet on this node"},
                       {"identity-token", "identity", "the pod is given no service account token",
                        Verdict::pass, "no volume of 4 has one"},
                       {"agent-image", "agent", "which image runs is known", Verdict::warn,
                        "docker.io/nousresearch/hermes-agent:latest floats",
                        "hermesctl deploy --image NAME@sha256:...", false}},
            .open = {"any public host on TCP 443 and 80", "names through the cluster's DNS"},
            .allowed = {"TCP 80, 443 to 1.0.0.0-9.255.255.255", "TCP 53, UDP 53 to 10.43.0.10/32"}};
}

inline hermes::Report leaking_report() {
    using hermes::Verdict;
    hermes::Report report = sample_report();
    report.checks.push_back(
        {"live-lan", "live", "the LAN is out of reach", Verdict::fail,
         "the pod connects to 192.168.1.206:30002 in 2 ms, as its twin does: policy open-lan "
         "lets 192.168.0.0/16 through",
         "kubectl -n hermes delete networkpolicy open-lan"});
    report.checks.push_back({"live-metadata", "live", "the cloud's metadata is out of reach",
                             Verdict::inconclusive, "neither the twin nor the pod reaches 169.254.169.254:80",
                             "hermesctl doctor"});
    return report;
}

/// Rows that want no attention, with what their evidence says all the same to whoever reads it.
inline hermes::Checks wordy_rows() {
    using hermes::Verdict;
    return {
        {"policy-gaps", "policy", "all of the cluster's own addresses are known", Verdict::pass,
         "nodes, API server, pods, Services, load balancers; your router's own public address is in no "
         "list: where it forwards ports, name it under network.except",
         "", false},
        {"live-nodeports", "live", "NodePorts are out of reach", Verdict::pass,
         "TCP 192.168.1.20:30080 refused; the twin reaches it; not tried: what listens on the node itself "
         "from 30000 to 32767, which kube-router leaves open whatever the policies say"},
        {"live-lan", "live", "the LAN is out of reach", Verdict::not_applicable,
         "name a listener of yours: hermesctl verify --lan-target HOST:PORT"}};
}

inline hermes::Report hostile_report() {
    hermes::Report report = sample_report();
    report.checks.push_back(
        {"agent-backend", "agent", "commands run in the pod (terminal backend local)", hermes::Verdict::fail,
         "</p><script>document.title='owned'</script><img src=x onerror=alert(1)> & ]]> \"q\" "
         "\x1b[31mred\x1b[0m \x01 \xff\xfe \xEF\xBF\xBF \xE2\x80\xAE"
         "evil",
         "'><svg/onload=alert(2)>"});
    report.pod = "<b>pod</b>";
    return report;
}

}  // namespace hermesctl::testing
