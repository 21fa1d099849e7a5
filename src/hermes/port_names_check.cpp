// Ports by name: kube-router opens every port where no selected pod has one that is called so, and a name
// without `to` for every address (its pkg/controllers/netpol/policy.go). deploy writes numbers alone.
#include "hermesctl/hermes/policy.hpp"
#include "policy_rows.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {

Check check_port_names(const Reach& reach) {
    Check check{.id = "policy-port-names",
                .group = "policy",
                .title = "no rule names a port instead of its number",
                .verdict = Verdict::pass,
                .evidence = "all are numbers",
                .decisive = false};
    std::vector<std::string> found;
    for (const Grant& grant : reach.grants) {
        if (names_a_port(grant.json))
            found.push_back(fmt::format("{} by {}", rule_text(grant.json), grant.text()));
    }
    if (found.empty()) return check;
    check.verdict = Verdict::warn;
    check.evidence = some_of(found);
    check.hint = "write the number: kube-router (k3s) opens every port where no pod has one of that name";
    return check;
}

}  // namespace hermesctl::hermes
