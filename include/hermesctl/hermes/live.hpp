// An installation as it is in the cluster now.
#pragma once

#include "hermesctl/hermes/values.hpp"
#include "hermesctl/kube/round.hpp"

#include <map>
#include <string>
#include <vector>

namespace hermesctl::hermes {

/// The names of an installation's objects: the guide's.
struct Names {
    std::string ns{};
    std::string name{};
    kube::Ref name_space() const { return {"Namespace", "", ns}; }
    kube::Ref account() const { return {"ServiceAccount", ns, name}; }
    kube::Ref claim() const { return {"PersistentVolumeClaim", ns, name + "-data"}; }
    kube::Ref secret() const { return {"Secret", ns, name + "-secrets"}; }
    /// The old values while a rotation is under way (rotation.hpp).
    kube::Ref previous() const { return {"Secret", ns, name + "-secrets-previous"}; }
    kube::Ref config() const { return {"ConfigMap", ns, name + "-config"}; }
    kube::Ref policy() const { return {"NetworkPolicy", ns, name + "-egress"}; }
    kube::Ref deployment() const { return {"Deployment", ns, name}; }
    kube::Ref lease() const { return {"Lease", ns, name + "-hermesctl"}; }
    /// The pods with the instance's label, of which the agent's is one.
    kube::Client::Listing pods() const { return {"Pod", ns, {.label = "app=" + name, .field = {}}}; }
    kube::Client::Listing replica_sets() const { return {"ReplicaSet", ns, pods().selector}; }
    /// All policies of its namespace.
    kube::Client::Listing policies() const { return {"NetworkPolicy", ns, {}}; }
    /// All but the namespace, the lease and the old values, in the order of application.
    std::vector<kube::Ref> all() const;
    /// And the old values and the namespace.
    std::vector<kube::Ref> everything() const;
};

struct Live {
    std::map<kube::Ref, Json> objects{};
    const Json& of(const kube::Ref&) const;  // null when it is not there
    bool installed(const Names& names) const { return !of(names.deployment()).is_null(); }
};

void want_live(kube::Round&, const Names&);
/// Once the round has run; of the old values of a rotation too, if they may be read. Throws ApiError (denied,
/// unreachable).
Live live_of(const kube::Round&, const Names&);
/// The same as a round of its own.
Live read_live(kube::Client&, const Names&);

/// Error{failed}: there is no such object in its namespace.
Error missing(const kube::Ref&);

/// Settings that say what is live, in the shape of hermes.yaml: image, model, users, storage, resources, pod
/// additions. What deploy keeps when nobody names it. Secrets' values are not in it. Throws Error{usage} when
/// the ConfigMap's config.yaml cannot be read, or what deploy noted is not as it wrote it.
Json settings_of(const Live&, const Names&);

/// The same for those who only look: what deploy would refuse in a file is left at its default, but for a
/// provider and a model, which then are "".
struct Standing {
    Values values{};
    std::vector<std::string> refused{};  // "pod.env.X: why"
};
Standing standing_of(const Live&, const Names&);

/// The Secret's data, decoded (and remembered for scrubbing).
std::map<std::string, std::string> secret_values(const Json& secret);

}  // namespace hermesctl::hermes
