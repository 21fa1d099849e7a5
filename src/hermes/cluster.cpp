// Reads what the cluster says about its own addresses.
#include "hermesctl/hermes/cluster.hpp"

#include "cluster_dns.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "ranges.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Outcome;
using kube::text_at;
using Listing = kube::Client::Listing;
using Texts = std::vector<std::string>;

constexpr std::string_view node_local_address = "169.254.20.10";
constexpr std::string_view k3s_service_range = "10.43.0.0/16";  // unless its arguments say otherwise

void add(Texts& list, const std::string& text) {
    if (parse_range(text) && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

void add_all(Texts& list, const Json& texts) {
    for (const Json& text : texts) {
        if (text.is_string()) add(list, text);
    }
}

/// "10.96.0.0/12,fd00::/108": both families in one text.
void add_list(Texts& list, const std::string& text) {
    for (const std::string_view range : words_of(text, ","))
        add(list, std::string(range));
}

class ClusterReader {
  public:
    ClusterReader(const kube::Round& round, const ClusterHints& hints)
        : round_(round), hints_(hints), dns_(dns_of(round, cluster_lists().services)) {}

    ClusterFacts run() {
        note_gaps();
        read_dns();
        read_nodes();
        read_api();
        note_witnesses();
        note_api_witness();
        read_balancers();
        read_service_ranges();
        note_pods();
        return std::move(facts_);
    }

  private:
    const Json& items(const Listing& list) const { return items_in(round_.of(list)); }

    void note_gaps() {
        note(cluster_lists().services, "services",
             "the cluster's DNS, its service and its load balancer addresses are not known",
             "grant list on services in all namespaces, or name them under network.dns and network.except");
        note(cluster_lists().nodes, "nodes", "their addresses are not known, so that they are not closed",
             "grant list on nodes, or name them under network.except");
        note(cluster_lists().slices, "endpointslices in namespace default",
             "the API server's addresses are not known",
             "grant list on endpointslices.discovery.k8s.io there, or name them under network.except");
        for (const Listing* list :
             {&cluster_lists().services, &cluster_lists().nodes, &cluster_lists().slices,
              &cluster_lists().ranges, &usual_dns_pods(), &cluster_lists().kubeadm}) {
            const Outcome& answer = round_.of(*list);
            // An API that this cluster does not have is no gap.
            facts_.incomplete = facts_.incomplete || (answer.error && !answer.not_found());
        }
    }

    void note(const Listing& list, const char* what, const char* unknown, const char* remedy) {
        const Outcome& outcome = round_.of(list);
        if (!outcome.error) return;
        const std::string failed = outcome.error->http() == 403 ? fmt::format("may not list {}", what)
                                                                : fmt::format("could not list {} ({})", what,
                                                                              outcome.error->message());
        facts_.gaps.push_back({what, fmt::format("{}: {}; {}", failed, unknown, remedy)});
    }

    void read_dns() {
        if (dns_.node_local) facts_.dns_addresses.emplace_back(node_local_address);
        if (dns_.service == nullptr) {
            if (round_.of(cluster_lists().services).object)
                facts_.gaps.push_back({"DNS",
                                       "the cluster's DNS service is not found; name its addresses under "
                                       "network.dns"});
            return;
        }
        const Json& service = *dns_.service;
        facts_.dns_namespace = kube::ref_of(service).ns;
        facts_.dns_namespace_labels = dns_.namespace_labels;
        facts_.dns_pods = dns_.pods;
        if (at(service, "/spec/selector").is_object()) facts_.dns_selector = at(service, "/spec/selector");
        add_all(facts_.dns_addresses, at(service, "/spec/clusterIPs"));
        add(facts_.dns_addresses, text_at(service, "/spec/clusterIP"));
        read_dns_ports(service);
    }

    void read_dns_ports(const Json& service) {
        std::vector<int> ports;
        for (const Json& port : at(service, "/spec/ports")) {
            if (kube::int_at(port, "/port") != 53) continue;
            const int number = dns_.target_of(port);
            if (number == 0 && !dns_.unread.empty()) facts_.incomplete = true, facts_.dns_port_known = false;
            const int target = number == 0 ? 53 : number;
            if (std::find(ports.begin(), ports.end(), target) == ports.end()) ports.push_back(target);
        }
        if (!ports.empty()) facts_.dns_target_ports = ports;
    }

    /// What leads to the DNS's pods: its Service, and those beside it, as metrics may have one of their own.
    void note_witnesses() {
        if (dns_.service == nullptr || dns_.on_nodes) return;  // some networks let a pod reach its own node
        note_witnesses_of(*dns_.service);
        const Json& selector = at(*dns_.service, "/spec/selector");
        const auto own = kube::ref_of(*dns_.service);
        for (const Json& service : items(cluster_lists().services)) {
            const auto ref = kube::ref_of(service);
            const bool beside = ref.ns == own.ns && ref.name != own.name && selector.is_object() &&
                                at(service, "/spec/selector") == selector;
            if (beside) note_witnesses_of(service);
        }
    }

    /// The Service's address and not its pods': that one stays.
    void note_witnesses_of(const Json& service) {
        const std::string address = text_at(service, "/spec/clusterIP");
        Texts behind = facts_.pod_ranges;
        add_all(behind, dns_.addresses());
        for (const Json& port : at(service, "/spec/ports")) {
            const int number = static_cast<int>(kube::int_at(port, "/port"));
            if (number == 53 || text_at(port, "/protocol", "TCP") != "TCP" || !is_address(address)) continue;
            const int target = dns_.target_of(port);
            facts_.witnesses.push_back({.address = address,
                                        .port = number,
                                        .target_port = target == 0 ? number : target,
                                        .behind = behind,
                                        .doubt = dns_.doubt(target),
                                        .of_dns = true});
        }
    }

    /// The API server is a witness but on its own nodes: some networks let a pod reach its own node, whatever
    /// the policies say. So it is none where all nodes are.
    void note_api_witness() {
        const Texts behind = endpoints_of_api();
        Texts on;
        bool elsewhere = false;
        for (const Json& node : items(cluster_lists().nodes)) {
            Texts own;
            for (const Json& address : at(node, "/status/addresses"))
                if (const std::string text = text_at(address, "/address"); is_address(text)) add(own, text);
            const bool serves = std::ranges::find_first_of(own, behind) != own.end();
            if (serves) on.insert(on.end(), own.begin(), own.end());
            elsewhere = elsewhere || !serves;
        }
        const auto& slices = items(cluster_lists().slices);
        if (!elsewhere || slices.empty()) return;
        for (const Json& service : items(cluster_lists().services)) {
            const auto ref = kube::ref_of(service);
            const std::string address = text_at(service, "/spec/clusterIP");
            if (ref.ns != "default" || ref.name != "kubernetes" || !is_address(address)) continue;
            const int target = static_cast<int>(kube::int_at(slices[0], "/ports/0/port", 443));
            const char* doubt = on.empty() ? "" : "on the API server's own nodes it is not looked at";
            facts_.witnesses.push_back({.address = address,
                                        .port = 443,
                                        .target_port = target,
                                        .behind = facts_.api_addresses,
                                        .doubt = doubt,
                                        .nodes = on});
        }
    }

    void read_nodes() {
        for (const Json& node : items(cluster_lists().nodes)) {
            for (const Json& address : at(node, "/status/addresses")) {
                const std::string type = text_at(address, "/type");
                if (type == "InternalIP" || type == "ExternalIP") {
                    add(facts_.node_addresses, text_at(address, "/address"));
                }
            }
            add_all(facts_.pod_ranges, at(node, "/spec/podCIDRs"));
            add(facts_.pod_ranges, text_at(node, "/spec/podCIDR"));
        }
    }

    void miss_name(const std::string& name, const char* what) {
        facts_.gaps.push_back(
            {name, fmt::format("{} is called by a name ({}) whose addresses are not known; {}", what, name,
                               in_except("them"))});
    }

    /// What is not known can be said under network.except, but not be found there again.
    std::string in_except(const char* what) const {
        if (hints_.except.empty()) return fmt::format("name {} under network.except", what);
        return fmt::format("it cannot be told whether network.except covers {}", what);
    }

    Texts endpoints_of_api() const {
        Texts all;
        for (const Json& slice : items(cluster_lists().slices)) {
            for (const Json& endpoint : at(slice, "/endpoints"))
                add_all(all, at(endpoint, "/addresses"));
        }
        return all;
    }

    void read_api() {
        for (const std::string& address : endpoints_of_api())
            add(facts_.api_addresses, address);
        const std::string host = host_of(hints_.server);
        add(facts_.api_addresses, host);
        if (host.empty() || is_address(host) || host == "localhost") return;
        const Texts found = hints_.resolve ? hints_.resolve(host) : Texts{};
        for (const std::string& address : found)
            add(facts_.api_addresses, address);
        if (found.empty()) miss_name(host, "the API server");
    }

    /// "https://[::1]:6443/x" -> "::1"
    static std::string host_of(const std::string& url) {
        const std::size_t scheme = url.find("://");
        std::string rest = scheme == std::string::npos ? url : url.substr(scheme + 3);
        rest.resize(std::min(rest.find('/'), rest.size()));
        if (rest.starts_with('[')) return rest.substr(1, rest.find(']') - 1);
        return rest.substr(0, rest.rfind(':'));
    }

    void read_balancers() {
        for (const Json& service : items(cluster_lists().services)) {
            for (const Json& ingress : at(service, "/status/loadBalancer/ingress")) {
                const std::string name = text_at(ingress, "/hostname");
                add(facts_.balancer_addresses, text_at(ingress, "/ip"));
                // Not looked up: whoever writes it could so close the agent's own way out.
                if (!name.empty()) miss_name(name, "a load balancer");
            }
            add_all(facts_.balancer_addresses, at(service, "/spec/externalIPs"));
        }
    }

    /// From the API where it serves them, else from what installers leave behind.
    void read_service_ranges() {
        for (const Json& range : items(cluster_lists().ranges))
            add_all(facts_.service_ranges, at(range, "/spec/cidrs"));
        const bool served = !facts_.service_ranges.empty();
        read_kubeadm(served);
        read_k3s(served || !facts_.service_ranges.empty());
        if (!facts_.service_ranges.empty()) return;
        // Not known as a whole: each address that is in use, and a word about it where that may not be all.
        bool inside = round_.of(cluster_lists().services).object.has_value();
        for (const Json& service : items(cluster_lists().services)) {
            for (const Json& address : at(service, "/spec/clusterIPs")) {
                if (!address.is_string() || !is_address(address.get<std::string>())) continue;
                add(facts_.service_ranges, address);
                inside = inside && is_closed(address);
            }
        }
        if (inside) return;
        facts_.gaps.push_back({"service addresses",
                               "the range of the cluster's service addresses is not known; name it under "
                               "network.except"});
    }

    /// Whatever is known of the cluster: special, or named under network.except.
    bool is_closed(const std::string& address) const {
        const auto range = parse_range(address);
        if (range->v6 && (range->first[0] & 0xe0) != 0x20) return true;  // only 2000::/3 is public
        return lies_in(*range, special_ranges_v4()) || lies_in(*range, hints_.except);
    }

    /// Not every network keeps its pods' ranges with the nodes. Some pods are known: those of the DNS.
    void note_pods() {
        if (items(cluster_lists().nodes).empty()) return;  // not read: a gap of its own
        bool closed = true;
        bool some = false;
        for (const std::string& address : dns_.addresses()) {
            if (dns_.on_nodes || !is_address(address)) continue;
            some = true;
            closed = closed && (is_closed(address) || lies_in(*parse_range(address), facts_.pod_ranges));
        }
        const bool seen = some || !facts_.pod_ranges.empty();
        if (closed && seen) return;
        facts_.gaps.push_back(
            {"pod addresses", "the range of the cluster's pod addresses is not known; " +
                                  (seen ? "name it under network.except" : in_except("it"))});
    }

    void read_kubeadm(bool served) {
        for (const Json& map : items(cluster_lists().kubeadm)) {
            try {
                const auto documents =
                    kube::parse_yaml(text_at(map, "/data/ClusterConfiguration"), "kubeadm");
                if (documents.empty()) continue;
                if (!served)
                    add_list(facts_.service_ranges, text_at(documents[0], "/networking/serviceSubnet"));
                add_list(facts_.pod_ranges, text_at(documents[0], "/networking/podSubnet"));
            } catch (const Error&) {
                continue;  // a hint that cannot be read is none
            }
        }
    }

    void read_k3s(bool served) {
        for (const Json& node : items(cluster_lists().nodes)) {
            const std::string text = text_at(node, "/metadata/annotations/k3s.io~1node-args");
            const Json arguments = Json::parse(text, nullptr, false);
            if (!arguments.is_array() || arguments.empty() || arguments[0] != "server") continue;
            const std::string said = argument(arguments, "--service-cidr");
            if (!served)
                add_list(facts_.service_ranges, said.empty() ? std::string(k3s_service_range) : said);
            add_list(facts_.pod_ranges, argument(arguments, "--cluster-cidr"));
        }
    }

    static std::string argument(const Json& arguments, const std::string& name) {
        for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
            if (arguments[i] == name && arguments[i + 1].is_string()) return arguments[i + 1];
        }
        return "";
    }

    const kube::Round& round_;
    const ClusterHints& hints_;
    Dns dns_;
    ClusterFacts facts_{};
};

}  // namespace

std::string Witness::text() const {
    return fmt::format(fmt::runtime(address.find(':') == std::string::npos ? "{}:{}" : "[{}]:{}"), address,
                       port);
}

std::string Witness::word() const {
    std::string all = text();
    for (const std::string& node : nodes)
        all += "/" + node;
    return all;
}

const ClusterLists& cluster_lists() {
    static const ClusterLists all;
    return all;
}

void want_cluster(kube::Round& round) {
    for (const Listing* list : {&cluster_lists().services, &cluster_lists().nodes, &cluster_lists().slices,
                                &cluster_lists().ranges, &cluster_lists().kubeadm})
        round.want(*list);
    want_usual_dns(round);
}

ClusterFacts cluster_of(kube::Round& round, const ClusterHints& hints) {
    want_unusual_dns(round, cluster_lists().services);
    round.run();
    return ClusterReader(round, hints).run();
}

}  // namespace hermesctl::hermes
