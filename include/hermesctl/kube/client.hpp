// Requests to the API server: read, server-side apply, patch, delete. The only place that changes a cluster.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/report.hpp"
#include "hermesctl/kube/kinds.hpp"
#include "hermesctl/kube/object.hpp"
#include "hermesctl/net/http.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::kube {

inline constexpr std::string_view field_manager = "hermesctl";

struct Cause {
    std::string reason{};  // "FieldManagerConflict"
    std::string message{};
    std::string field{};
};

/// The server said no, or could not be asked. code(): unreachable, denied (401, and 403 but for an
/// admission's, which is no matter of rights), timeout, or failed.
class ApiError : public Error {
  public:
    /// From an answer that is not 2xx, whatever its body is (a Status, plain text, HTML).
    ApiError(const net::Response&, std::string what_for);
    int http() const noexcept { return http_; }  // 0: no answer
    const std::string& reason() const noexcept { return reason_; }
    const std::vector<Cause>& causes() const noexcept { return causes_; }
    /// The API server knows no such object. Any other 404 (of a proxy, of a wrong base path) tells nothing of
    /// it.
    bool is_not_found() const { return http_ == 404 && reason_ == "NotFound"; }
    /// Another field manager owns fields that were sent (not an outdated resourceVersion).
    bool is_field_conflict() const;

  private:
    ApiError(const net::Response&, const Json& status, std::string what_for);

    int http_ = 0;
    std::string reason_;
    std::vector<Cause> causes_;
};

/// One answer of several: an object, or why not.
struct Outcome {
    std::optional<Json> object{};
    std::optional<ApiError> error{};
    bool created = false;  // 201
    bool warned = false;   // the server said something beside it
    bool lost = false;     // the server may have done it, and its answer did not come, or tells of no end
    /// The object; throws the error.
    const Json& value() const;
    bool not_found() const { return error && error->is_not_found(); }
};

struct ApplyOptions {
    bool dry_run = false;
    bool force = false;
};

struct Selector {
    std::string label{};  // "app=hermes"
    std::string field{};  // "metadata.name=hermes"
};

/// One GET: where, what for (an error tells it), and the kind of the items that a list gives.
struct Read {
    std::string path{};
    std::string what_for{};
    std::string kind{};
    std::string accept = "application/json";
    bool quiet = false;  // the server's warnings are not shown
};

struct PatchOptions {
    std::string_view manager = field_manager;
    bool dry_run = false;
};

struct DeleteOptions {
    std::string uid{};  // precondition; empty: any
    std::string resource_version{};
    std::optional<int> grace_seconds{};
    std::optional<std::chrono::milliseconds> timeout{};  // for the answer; nothing: as for any write
};

struct Permission {
    std::string verb{};
    std::string group{};
    std::string resource{};     // "pods"
    std::string subresource{};  // "exec"
    std::string ns{};
    std::string name{};
};

enum class Patch { merge, json };

class Client {
  public:
    /// Warnings of the server (RFC 7234 `Warning: 299`) go to the reporter, once each. A round of reads, of
    /// dry runs or of access reviews takes no longer than `patience` (--timeout), and after one that has
    /// taken it nothing is asked any more. From the first change on, of a lease or a job, too, each has its
    /// own limit instead: what was begun is not to be left half done by a server that hung for a moment.
    Client(net::Transport&, Clock&, Reporter&, std::optional<Clock::Duration> patience = {});

    /// Warnings that contain this are known and expected: they are not shown.
    void expect_warning(std::string part) { expected_.push_back(std::move(part)); }

    /// Nothing when it is not there. Throws ApiError.
    std::optional<Json> get(const Ref&);
    /// The same, with what keeps it from being read as a value.
    Outcome look(const Ref&);
    /// In parallel; a missing one is Outcome::not_found().
    std::vector<Outcome> get_all(std::span<const Ref>);
    /// The items of a collection, each with apiVersion and kind. `ns` empty: all namespaces. Throws ApiError.
    std::vector<Json> list(std::string_view kind, std::string_view ns, const Selector& = {});
    struct Listing {
        std::string kind{};
        std::string ns{};
        Selector selector{};
    };
    /// Several lists in parallel; object() of each is {"items": [...]}.
    std::vector<Outcome> list_all(std::span<const Listing>);
    /// Any path, for what is not in the kinds table ("/version", "/api/v1/nodes?limit=1").
    Outcome get_path(std::string_view path);
    /// Reads of all sorts in parallel.
    std::vector<Outcome> read_all(std::span<const Read>);

    Outcome apply(const Json& object, ApplyOptions = {});
    std::vector<Outcome> apply_all(std::span<const Json> objects, ApplyOptions = {});
    Outcome create(const Json& object);
    /// PUT; carries the object's resourceVersion as its precondition.
    Outcome replace(const Json& object);
    Outcome patch(const Ref&, Patch, const Json& body, PatchOptions = {});
    /// False when it was not there. Throws ApiError (409: another uid or resourceVersion).
    bool remove(const Ref&, const DeleteOptions& = {});
    /// SelfSubjectAccessReviews in parallel; throws ApiError when the server cannot be asked.
    std::vector<bool> allowed(std::span<const Permission>);
    /// Whether something was sent that may have changed an object, and nobody knows whether it did. Leases
    /// and jobs, which are for the run alone and end by themselves, are none of these.
    bool has_lost_write() const { return has_lost_write_; }
    /// Whether a round has taken all the patience: nothing is asked any more.
    bool is_out_of_time() const { return out_of_time_; }

    net::Transport& transport() { return transport_; }
    Clock& clock() { return clock_; }
    /// What the server's clock says, of which the times in its objects are: by the Date of its last answer.
    Clock::Wall server_time() { return clock_.wall() + ahead_; }

  private:
    std::vector<Outcome> outcomes(std::span<const net::Request>, std::span<const std::string> what_for,
                                  std::span<const Read> reads = {});
    Outcome one(const net::Request&, const std::string& what_for);
    /// Of what changes nothing, and begins now.
    Clock::Time round_end() const;
    /// A change begins: see the constructor.
    void lift_limit();
    /// Those that change something.
    std::vector<Outcome> write(std::span<const net::Request>, std::span<const std::string> what_for);
    Outcome write(const Ref&, const net::Request&, const std::string& what_for);
    bool show_warnings(const net::Response&);
    void note_time(const net::Response&);

    net::Transport& transport_;
    Clock& clock_;
    Reporter& reporter_;
    std::optional<Clock::Duration> patience_;
    bool out_of_time_ = false;
    std::set<std::string> warned_{};
    std::vector<std::string> expected_{};
    std::chrono::seconds ahead_{0};  // of us
    bool has_lost_write_ = false;
};

Read read_of(const Ref&);
Read read_of(const Client::Listing&);
/// Any path. The items of a collection are then as the server sends them: without a kind.
Read read_of(std::string path);

}  // namespace hermesctl::kube
