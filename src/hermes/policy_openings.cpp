// What the policies leave open, in words and exactly: as computed, whatever the settings say.
#include "hermesctl/hermes/policy.hpp"
#include "policy_rows.hpp"
#include "ranges.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using Texts = std::vector<std::string>;

class Openings {
  public:
    explicit Openings(const PolicyPremises& premises)
        : premises_(premises), reach_(reach_of(premises)), ranges_(reach_.ranges()) {}

    Texts run() {
        add_public();
        add_names();
        const Network& network = premises_.values.network;
        for (const std::string& prefix : network.nat64)
            add_if(Traffic(prefix, web_ports()),
                   fmt::format("public IPv4 behind {} (network.nat64)", prefix));
        for (const std::string& text : network.allow) {
            if (const auto target = parse_target(text))
                add_if(Traffic(target->host, Ports::of(Protocol::tcp, target->port, target->port)),
                       text + " (network.allow)");
        }
        return std::move(open_);
    }

  private:
    bool opens(const Traffic& traffic) const { return !(ranges_ & traffic).empty(); }
    void add_if(const Traffic& traffic, const std::string& text) {
        if (opens(traffic)) open_.push_back(text);
    }

    void add_public() {
        const Traffic outside = Traffic(web_ports()) - inside(premises_);
        const Traffic v4 = outside & Traffic(everything_v4, Ports::all());
        const Traffic v6 = outside & Traffic(everything_v6, Ports::all());
        if (!opens(outside)) return;
        const bool whole = ((opens(v4) ? v4 : v6) - ranges_).empty();
        open_.push_back(fmt::format("{} on TCP 443 and 80{}", whole ? "any public host" : "public hosts",
                                    !opens(v6)  ? ""
                                    : opens(v4) ? ", over IPv6 too"
                                                : ", over IPv6 alone"));
    }

    /// Whom it may ask for names, and which pods it reaches.
    void add_names() {
        const PodOpenings pods = pod_openings(premises_, reach_);
        if (pods.dns || opens(to_all(premises_.cluster.dns_addresses, dns_ports())))
            open_.emplace_back("names through the cluster's DNS");
        for (const std::string& server : premises_.values.network.dns)
            add_if(Traffic(server, dns_ports()), fmt::format("names through {} (network.dns)", server));
        for (const PodOpening& opening : pods.others)
            open_.push_back(fmt::format("{} ({})", opening.text, opening.by));
    }

    const PolicyPremises& premises_;
    Reach reach_;
    Traffic ranges_;
    Texts open_{};
};

}  // namespace

std::vector<std::string> openings(const PolicyPremises& premises) {
    return premises.failure.empty() ? Openings(premises).run() : Texts{};
}

std::vector<std::string> allowed(const PolicyPremises& premises) {
    if (!premises.failure.empty()) return {};
    const Reach reach = reach_of(premises);
    Texts lines = reach.all().text();
    for (const Grant& grant : reach.grants) {
        for (const std::string& selector : grant.unknown)
            lines.push_back(fmt::format("{} (addresses are not known) by {}", selector, grant.text()));
    }
    if (const std::string kinds = not_counted(premises); !kinds.empty()) lines.push_back(kinds);
    return lines;
}

}  // namespace hermesctl::hermes
