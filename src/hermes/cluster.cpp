// Reads what the cluster says about its own addresses.
#include "hermesctl/hermes/cluster.hpp"

#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "ranges.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Outcome;
using kube::text_at;
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
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find(',', start), text.size());
        add(list, text.substr(start, end - start));
        start = end + 1;
    }
}

struct Answers {
    Outcome services;
    Outcome nodes;
    Outcome slices;
    Outcome ranges;
    Outcome node_dns;
    Outcome kubeadm;
};

class Reading {
  public:
    Reading(kube::Client& client, Answers answers) : client_(client), answers_(std::move(answers)) {}

    ClusterFacts run(const std::string& server) {
        note_gaps();
        read_dns();
        read_nodes();
        read_api(server);
        if (const Json* dns = dns_service()) note_witnesses(*dns);
        note_api_witness();
        read_balancers();
        read_service_ranges();
        return std::move(facts_);
    }

  private:
    static const Json& items(const Outcome& outcome) {
        static const Json none = Json::array();
        if (!outcome.object) return none;
        const Json& list = at(*outcome.object, "/items");
        return list.is_array() ? list : none;
    }

    void note_gaps() {
        note(answers_.services, "services",
             "the cluster's DNS, its service and its load balancer addresses are not known",
             "grant list on services in all namespaces, or name them under network.dns and network.except");
        note(answers_.nodes, "nodes", "their addresses are not known, so that they are not closed",
             "grant list on nodes, or name them under network.except");
        note(answers_.slices, "endpointslices in namespace default",
             "the API server's addresses are not known",
             "grant list on endpointslices.discovery.k8s.io there, or name them under network.except");
        for (const Outcome* answer : {&answers_.services, &answers_.nodes, &answers_.slices, &answers_.ranges,
                                      &answers_.node_dns, &answers_.kubeadm}) {
            // An API that this cluster does not have is no gap.
            facts_.incomplete = facts_.incomplete || (answer->error && !answer->not_found());
        }
    }

    void note(const Outcome& outcome, const char* what, const char* unknown, const char* remedy) {
        if (!outcome.error) return;
        const std::string failed = outcome.error->http() == 403 ? fmt::format("may not list {}", what)
                                                                : fmt::format("could not list {} ({})", what,
                                                                              outcome.error->message());
        facts_.gaps.push_back({what, fmt::format("{}: {}; {}", failed, unknown, remedy)});
    }

    /// The Service that pods ask for names, as the usual distributions call it.
    const Json* dns_service() const {
        static constexpr std::array<std::array<std::string_view, 2>, 4> known{
            {{"kube-system", "kube-dns"},
             {"kube-system", "coredns"},
             {"kube-system", "rke2-coredns-rke2-coredns"},
             {"openshift-dns", "dns-default"}}};
        for (const auto& [ns, name] : known) {
            for (const Json& service : items(answers_.services)) {
                const auto ref = kube::ref_of(service);
                if (ref.ns == ns && ref.name == name) return &service;
            }
        }
        for (const Json& service : items(answers_.services)) {
            const bool labelled = text_at(service, "/metadata/labels/k8s-app") == "kube-dns";
            if (labelled && at(service, "/spec/selector").is_object()) return &service;
        }
        return nullptr;
    }

    void read_dns() {
        if (!items(answers_.node_dns).empty()) facts_.dns_addresses.emplace_back(node_local_address);
        const Json* service = dns_service();
        if (service == nullptr) {
            if (answers_.services.object)
                facts_.gaps.push_back({"DNS",
                                       "the cluster's DNS service is not found; name its addresses under "
                                       "network.dns"});
            return;
        }
        facts_.dns_namespace = kube::ref_of(*service).ns;
        if (at(*service, "/spec/selector").is_object()) facts_.dns_selector = at(*service, "/spec/selector");
        add_all(facts_.dns_addresses, at(*service, "/spec/clusterIPs"));
        add(facts_.dns_addresses, text_at(*service, "/spec/clusterIP"));
        read_dns_ports(*service);
    }

    /// The Service's address and not its pods': that one stays.
    void note_witnesses(const Json& service) {
        const std::string address = text_at(service, "/spec/clusterIP");
        for (const Json& port : at(service, "/spec/ports")) {
            const int number = static_cast<int>(kube::int_at(port, "/port"));
            if (number == 53 || text_at(port, "/protocol", "TCP") != "TCP" || !is_address(address)) continue;
            const int target = static_cast<int>(kube::int_at(port, "/targetPort", number));
            facts_.witnesses.push_back({address, number, target, facts_.pod_ranges});
        }
    }

    /// The API server is a witness where it is no node: some networks let a pod reach its own node, whatever
    /// the policies say.
    void note_api_witness() {
        const auto is_node = [&](const std::string& address) {
            return std::ranges::find(facts_.node_addresses, address) != facts_.node_addresses.end();
        };
        const auto& slices = items(answers_.slices);
        if (!answers_.nodes.object || slices.empty() || std::ranges::any_of(facts_.api_addresses, is_node))
            return;
        for (const Json& service : items(answers_.services)) {
            const auto ref = kube::ref_of(service);
            const std::string address = text_at(service, "/spec/clusterIP");
            if (ref.ns != "default" || ref.name != "kubernetes" || !is_address(address)) continue;
            const int target = static_cast<int>(kube::int_at(slices[0], "/ports/0/port", 443));
            facts_.witnesses.push_back({address, 443, target, facts_.api_addresses});
        }
    }

    void read_dns_ports(const Json& service) {
        std::vector<int> ports;
        for (const Json& port : at(service, "/spec/ports")) {
            if (kube::int_at(port, "/port") != 53) continue;
            const bool named = at(port, "/targetPort").is_string();
            const auto target =
                named ? named_port(service, text_at(port, "/name")) : kube::int_at(port, "/targetPort", 53);
            const int number = target > 0 && target < 65536 ? static_cast<int>(target) : 53;
            if (std::find(ports.begin(), ports.end(), number) == ports.end()) ports.push_back(number);
        }
        if (!ports.empty()) facts_.dns_target_ports = ports;
    }

    /// A target port that is a name: the number stands in the endpoints. One more round, on few clusters.
    std::int64_t named_port(const Json& service, const std::string& name) {
        const auto ref = kube::ref_of(service);
        const kube::Client::Listing listing{
            "EndpointSlice", ref.ns, {.label = "kubernetes.io/service-name=" + ref.name}};
        const auto outcomes = client_.list_all({&listing, 1});
        for (const Json& slice : items(outcomes.front())) {
            for (const Json& port : at(slice, "/ports")) {
                if (text_at(port, "/name") == name) return kube::int_at(port, "/port");
            }
        }
        if (outcomes.front().error) facts_.incomplete = true, facts_.dns_port_known = false;
        return 0;
    }

    void read_nodes() {
        for (const Json& node : items(answers_.nodes)) {
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

    void read_api(const std::string& server) {
        for (const Json& slice : items(answers_.slices)) {
            for (const Json& endpoint : at(slice, "/endpoints")) {
                add_all(facts_.api_addresses, at(endpoint, "/addresses"));
            }
        }
        const std::string host = host_of(server);
        add(facts_.api_addresses, host);
        if (!host.empty() && !is_address(host) && host != "localhost") {
            facts_.gaps.push_back({host,
                                   "the API server is called by a name, and that name's addresses are not "
                                   "known; name them under network.except"});
        }
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
        for (const Json& service : items(answers_.services)) {
            for (const Json& ingress : at(service, "/status/loadBalancer/ingress")) {
                add(facts_.balancer_addresses, text_at(ingress, "/ip"));
            }
            add_all(facts_.balancer_addresses, at(service, "/spec/externalIPs"));
        }
    }

    /// From the API where it serves them, else from what installers leave behind.
    void read_service_ranges() {
        for (const Json& range : items(answers_.ranges))
            add_all(facts_.service_ranges, at(range, "/spec/cidrs"));
        if (facts_.service_ranges.empty()) read_kubeadm();
        if (facts_.service_ranges.empty()) read_k3s();
        if (!facts_.service_ranges.empty()) return;
        // Not known as a whole: each address that is in use, and a word about it where that may not be all.
        bool inside = answers_.services.object.has_value();
        for (const Json& service : items(answers_.services)) {
            for (const Json& address : at(service, "/spec/clusterIPs")) {
                if (!address.is_string() || !is_address(address.get<std::string>())) continue;
                add(facts_.service_ranges, address);
                inside = inside && is_special(address);
            }
        }
        if (inside) return;
        facts_.gaps.push_back({"service addresses",
                               "the range of the cluster's service addresses is not known; name it under "
                               "network.except"});
    }

    static bool is_special(const std::string& address) {
        const auto range = parse_range(address);
        if (range->v6) return (range->first[0] & 0xe0) != 0x20;  // only 2000::/3 is public
        const Texts& special = special_ranges_v4();
        return std::any_of(special.begin(), special.end(),
                           [&](const std::string& text) { return parse_range(text)->contains(*range); });
    }

    void read_kubeadm() {
        for (const Json& map : items(answers_.kubeadm)) {
            try {
                const auto documents =
                    kube::parse_yaml(text_at(map, "/data/ClusterConfiguration"), "kubeadm");
                if (documents.empty()) continue;
                add_list(facts_.service_ranges, text_at(documents[0], "/networking/serviceSubnet"));
                add_list(facts_.pod_ranges, text_at(documents[0], "/networking/podSubnet"));
            } catch (const Error&) {
                continue;  // a hint that cannot be read is none
            }
        }
    }

    void read_k3s() {
        for (const Json& node : items(answers_.nodes)) {
            const std::string text = text_at(node, "/metadata/annotations/k3s.io~1node-args");
            const Json arguments = Json::parse(text, nullptr, false);
            if (!arguments.is_array() || arguments.empty() || arguments[0] != "server") continue;
            const std::string said = argument(arguments, "--service-cidr");
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

    kube::Client& client_;
    Answers answers_;
    ClusterFacts facts_{};
};

}  // namespace

std::string Witness::text() const {
    return fmt::format(fmt::runtime(address.find(':') == std::string::npos ? "{}:{}" : "[{}]:{}"), address,
                       port);
}

ClusterFacts read_cluster(kube::Client& client, const std::string& server) {
    const std::array<kube::Client::Listing, 6> listings{
        {{"Service", "", {}},
         {"Node", "", {}},
         {"EndpointSlice", "default", {.label = "kubernetes.io/service-name=kubernetes"}},
         {"ServiceCIDR", "", {}},
         {"Pod", "kube-system", {.label = "k8s-app=node-local-dns"}},
         {"ConfigMap", "kube-system", {.field = "metadata.name=kubeadm-config"}}}};
    auto outcomes = client.list_all(listings);
    return Reading(client, {std::move(outcomes[0]), std::move(outcomes[1]), std::move(outcomes[2]),
                            std::move(outcomes[3]), std::move(outcomes[4]), std::move(outcomes[5])})
        .run(server);
}

}  // namespace hermesctl::hermes
