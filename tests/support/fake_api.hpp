// An API server in memory, behind a FakeTransport: objects with versions, apply with ownership and conflicts,
// patches, deletion with preconditions, watches, access reviews, exec. No schemas, no defaults, no
// controllers: a test plays those with put() and on_write.
#pragma once

#include "hermesctl/kube/client.hpp"
#include "support/fake_transport.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace hermesctl::testing {

/// A command that runs "in a container". What is not ended with exit() runs for ever.
struct FakeProcess {
    std::string pod{};
    std::string container{};
    std::vector<std::string> argv{};
    std::string input{};  // all that has come so far
    bool input_ended = false;
    std::shared_ptr<Wire> wire{};

    void out(const std::string& text) const;
    void err(const std::string& text) const;
    void exit(int code) const;
    /// The connection ends without a Status.
    void lose(const std::string& failure) const;
};

class FakeApi {
  public:
    using Json = kube::Json;
    using Ref = kube::Ref;

    explicit FakeApi(FakeTransport&);
    FakeApi(const FakeApi&) = delete;
    FakeApi& operator=(const FakeApi&) = delete;

    /// Stores an object as it is (new uid if it has none) and tells the watches. With a manager, it owns what
    /// is new.
    void put(Json object, const std::string& manager = {});
    /// Changes what is there: merged in, keyed lists by key. For a controller's status, say.
    void merge(const Ref&, const Json& change);
    void erase(const Ref&);
    /// Null when it is not there.
    const Json& object(const Ref&) const;
    const std::map<Ref, Json>& objects() const { return objects_; }

    /// The nth (from 1) request from now on with this method on this kind is answered so. "" is any.
    void fail(std::string method, std::string kind, int nth, net::Response);
    /// Each further one, too.
    void fail_always(std::string method, std::string kind, net::Response);
    /// Refuses a verb ("create") on a resource ("pods", "pods/exec"), in access reviews and in earnest.
    void deny(std::string verb, std::string resource) {
        denied_.emplace(std::move(verb), std::move(resource));
    }
    /// Every answer to a write of this kind carries the warning.
    void warn(std::string kind, std::string text) { warnings_[std::move(kind)] = std::move(text); }
    /// Forgets all events until now: watches from older versions get 410.
    void compact() { history_.clear(), compacted_ = version_; }
    void break_watches(const std::string& failure);

    bool down = false;  // nobody listens
    /// After each write by a client that changed something: "ADDED", "MODIFIED" or "DELETED".
    std::function<void(const std::string& type, const Json& object)> on_write{};
    /// When a command starts, when input comes, and when input ends.
    std::function<void(FakeProcess&)> on_exec{};
    std::map<std::string, std::string> logs{};  // pod -> what its log endpoint gives
    /// Path -> answer, for what is beyond the table of kinds; discovery ("/apis") tells of the table itself.
    std::map<std::string, net::Response> pages{};
    std::vector<std::string> log{};  // "PATCH deployment/hermes", "... (dry run)", "LIST pod", "WATCH pod"

  private:
    struct Target;
    struct Watcher {
        net::Transport::Ticket ticket = 0;
        std::string kind{};
        std::string ns{};
        kube::Selector selector{};
    };
    struct Change {
        int version = 0;
        std::string type{};
        Json object{};
    };
    struct Fault {
        std::string method{};
        std::string kind{};
        int skip = 0;
        bool once = true;
        net::Response answer{};
    };

    void serve(net::Transport::Ticket, const net::Request&);
    net::Response handle(const net::Request&, const Target&);
    std::optional<net::Response> refused(const net::Request&, const Target&);
    net::Response read(const Target&) const;
    net::Response list(const Target&) const;
    void watch(net::Transport::Ticket, const Target&);
    net::Response write(const net::Request&, const Target&);
    net::Response apply(const Json& body, const Target&);
    net::Response remove(const Json& body, const Target&);
    net::Response review(const Json& body) const;
    net::Response store(Json object, const Json& before, const Target&);
    void remember(const std::string& type, const Json& object);
    net::Upgrade open(const net::Request&, std::span<const std::string> protocols);

    FakeTransport& transport_;
    std::map<Ref, Json> objects_{};
    std::vector<Change> history_{};
    std::vector<Watcher> watchers_{};
    std::vector<Fault> faults_{};
    std::vector<std::shared_ptr<FakeProcess>> processes_{};
    std::set<std::pair<std::string, std::string>> denied_{};
    std::map<std::string, std::string> warnings_{};
    int version_ = 100;
    int compacted_ = 0;
    int uids_ = 0;
};

}  // namespace hermesctl::testing
