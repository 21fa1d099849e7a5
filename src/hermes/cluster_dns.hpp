// The cluster's DNS: the Service that pods ask for names, and the pods behind it.
#pragma once

#include "hermesctl/kube/round.hpp"

#include <string>
#include <vector>

namespace hermesctl::hermes {

/// The items of a list that was answered; else none.
const kube::Json& items_in(const kube::Outcome&);

/// Pods of the DNS as the usual distributions have it, and of NodeLocal DNS.
const kube::Client::Listing& usual_dns_pods();
void want_usual_dns(kube::Round&);
/// Once the Services are known: the pods of one that is called otherwise. Then the round runs again.
void want_unusual_dns(kube::Round&, const kube::Client::Listing& services);

struct Dns {
    const kube::Json* service = nullptr;  // in the round's answer; null: it is not found
    std::vector<kube::Json> pods{};       // that the Service selects, and that have not ended
    std::string unread{};                 // why the pods could not be read
    kube::Json namespace_labels{};        // null: not known
    bool node_local = false;
    bool on_nodes = false;  // they have the network of their nodes

    /// The number behind one of the Service's ports: a name stands for what the pods call so. 0: not known.
    int target_of(const kube::Json& port) const;
    std::vector<std::string> addresses() const;
    /// Why it is not known that somebody listens at `target`; "" where a ready pod is behind it.
    std::string doubt(int target) const;
};
Dns dns_of(const kube::Round&, const kube::Client::Listing& services);

}  // namespace hermesctl::hermes
