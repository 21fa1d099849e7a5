#include "hermes/inhabitants.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

/// Names suffice: nobody's secrets are fetched to count them.
constexpr const char* names_only =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

constexpr std::size_t most_named = 10;

struct Collection {
    std::string path{};
    std::string kind{};
};

struct Found {
    std::string path{};
    std::string title{};
    Json metadata{};
};

/// All at once; a failed one is an Outcome with its error. That a kind is deprecated is its owners' matter.
std::vector<kube::Outcome> read_all(kube::Client& client, const std::vector<std::string>& paths) {
    std::vector<kube::Read> reads;
    for (const std::string& path : paths) {
        reads.push_back({.path = path, .what_for = "reading " + path, .accept = names_only, .quiet = true});
    }
    return client.read_all(reads);
}

class Search {
  public:
    Search(kube::Client& client, const Names& names) : client_(client), names_(names) {
        for (const kube::Ref& ref : names.everything()) {
            ours_.insert(kube::object_path(ref));
        }
        ours_.insert(kube::object_path(names.lease()));
    }

    std::string run() {
        const std::vector<Collection> kinds = collections();
        std::vector<std::string> paths;
        for (const Collection& each : kinds) {
            paths.push_back(each.path);
        }
        const auto answers = read_all(client_, paths);
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            if (answers[i].object) add(kinds[i], at(*answers[i].object, "/items"));
            if (answers[i].error && !answers[i].not_found()) unseen(kinds[i].kind, *answers[i].error);
        }
        std::vector<std::string> sentences = unseen_;
        if (const std::string text = others(); !text.empty()) sentences.insert(sentences.begin(), text);
        return fmt::format("{}", fmt::join(sentences, "; "));
    }

  private:
    /// "/api/v1", and each group's versions, the preferred one first.
    std::vector<std::string> versions() {
        std::vector<std::string> paths{"/api/v1"};
        const kube::Outcome groups = client_.get_path("/apis");
        if (groups.error) unseen("/apis", *groups.error);
        if (!groups.object) return paths;
        for (const Json& group : at(*groups.object, "/groups")) {
            const std::string preferred = text_at(group, "/preferredVersion/groupVersion");
            paths.push_back("/apis/" + preferred);
            for (const Json& version : at(group, "/versions")) {
                const std::string other = text_at(version, "/groupVersion");
                if (other != preferred) paths.push_back("/apis/" + other);
            }
        }
        return paths;
    }

    /// What can be in a namespace and can be deleted with it. A kind is looked for in one version of its
    /// group, since each of them has all of its objects; some kinds are not in the preferred one.
    std::vector<Collection> collections() {
        const std::vector<std::string> paths = versions();
        std::vector<Collection> found;
        const auto answers = read_all(client_, paths);
        for (std::size_t i = 0; i < paths.size(); ++i) {
            if (answers[i].error) unseen(paths[i], *answers[i].error);
            if (answers[i].object) add_kinds(paths[i], at(*answers[i].object, "/resources"), found);
        }
        return found;
    }

    void add_kinds(const std::string& path, const Json& resources, std::vector<Collection>& found) {
        const std::string group = path.substr(0, path.rfind('/'));
        for (const Json& resource : resources) {
            const Json& verbs = at(resource, "/verbs");
            const auto can = [&](const char* verb) {
                return std::find(verbs.begin(), verbs.end(), Json(verb)) != verbs.end();
            };
            const std::string kind = text_at(resource, "/kind");
            const std::string name = text_at(resource, "/name");
            if (!kube::bool_at(resource, "/namespaced") || !can("list") || !can("delete") ||
                kind == "Event" || !looked_for_.insert(group + "/" + name).second)
                continue;
            found.push_back(
                {fmt::format("{}/namespaces/{}/{}", path, net::percent_encode(names_.ns), name), kind});
        }
    }

    void add(const Collection& of, const Json& items) {
        for (const Json& item : items) {
            const std::string name = text_at(item, "/metadata/name");
            found_.push_back({of.path + "/" + net::percent_encode(name),
                              kube::title({of.kind, names_.ns, name}), at(item, "/metadata")});
        }
    }

    void unseen(const std::string& what, const kube::ApiError& error) {
        unseen_.push_back(error.code() == ExitCode::denied
                              ? what + " may not be listed"
                              : fmt::format("{} cannot be listed: {}", what, error.message()));
    }

    bool belongs(const Found& one) const {
        constexpr std::array everywhere{"configmap/kube-root-ca.crt", "serviceaccount/default"};
        const bool made = std::find(everywhere.begin(), everywhere.end(), one.title) != everywhere.end();
        return made || ours_.contains(one.path) || !at(one.metadata, "/deletionTimestamp").is_null();
    }

    std::string others() const {
        std::set<std::string> uids;
        for (const Found& one : found_) {
            uids.insert(text_at(one.metadata, "/uid"));
        }
        std::vector<std::string> titles;
        for (const Found& one : found_) {
            const Json& owners = at(one.metadata, "/ownerReferences");
            const bool owned = std::any_of(owners.begin(), owners.end(), [&](const Json& owner) {
                return uids.contains(text_at(owner, "/uid"));
            });
            if (!owned && !belongs(one)) titles.push_back(one.title);
        }
        if (titles.empty()) return {};
        const std::size_t more = titles.size() - std::min(titles.size(), most_named);
        titles.resize(titles.size() - more);
        return fmt::format("it also has {}{}", fmt::join(titles, ", "),
                           more == 0 ? "" : fmt::format(" and {} more", more));
    }

    kube::Client& client_;
    const Names& names_;
    std::set<std::string> ours_{};
    std::set<std::string> looked_for_{};  // GROUP/RESOURCE
    std::vector<Found> found_{};
    std::vector<std::string> unseen_{};
};

}  // namespace

std::string inhabitants(kube::Client& client, const Names& names) {
    return Search(client, names).run();
}

}  // namespace hermesctl::hermes
