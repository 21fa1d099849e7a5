// A network in memory: who answers is scripted, time is the FakeClock's, and poll() lets it pass when there
// is nothing to do. Time limits of requests are kept as the real transport keeps them.
#pragma once

#include "hermesctl/net/http.hpp"
#include "support/fake_clock.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hermesctl::testing {

/// Both ends of a scripted WebSocket; the test keeps one reference, the code under test has the socket.
struct Wire {
    std::string protocol = "v5.channel.k8s.io";
    std::deque<std::string> incoming{};  // what the server has sent and nobody has read yet
    std::vector<std::string> sent{};     // what the client has sent
    std::function<void(const std::string&)> on_send{};
    std::size_t queued = 0;  // what the client is told about its unsent bytes
    bool ended = false;
    std::string failure{};
};

/// Hands out a socket on this wire.
std::unique_ptr<net::WebSocket> socket_on(std::shared_ptr<Wire>);

net::Response answer(int status, std::string body, std::vector<net::Header> headers = {});
/// A Kubernetes Status: answer(403, ...) as the API server words it.
net::Response refusal(int status, std::string reason, std::string message);
/// No answer at all; `connected`: the server had been reached.
net::Response no_answer(std::string failure, bool connected = false);

class FakeTransport : public net::Transport {
  public:
    explicit FakeTransport(FakeClock& clock) : clock_(clock) {}

    /// Who answers: called from poll() once for each request; it answers now or later with chunk() and
    /// finish().
    std::function<void(Ticket, const net::Request&)> serve{};
    /// Without `serve`: the answers, in the order of the requests. A request beyond them stays open.
    std::deque<net::Response> answers{};
    /// Who answers upgrades. Without it they are refused with 404.
    std::function<net::Upgrade(const net::Request&, std::span<const std::string>)> open{};

    /// Before a request is started; may throw, as where there are no credentials for it.
    std::function<void(const net::Request&)> before_start{};

    std::vector<net::Request> requests{};  // all that were started, upgrades too
    std::vector<Ticket> cancelled{};

    void chunk(Ticket, std::string bytes);
    void finish(Ticket, net::Response);
    /// Runs something when so much time has passed.
    void after(Clock::Duration, std::function<void()>);
    /// The requests that have no end yet, oldest first.
    std::vector<Ticket> in_flight() const;
    const net::Request& request(Ticket ticket) const { return exchanges_.at(ticket).request; }
    /// poll() does not let time pass while this wire has unread messages.
    void watch_wire(std::weak_ptr<Wire> wire) { wires_.push_back(std::move(wire)); }

    Ticket start(net::Request, net::Handler) override;
    void cancel(Ticket) override;
    void poll(std::chrono::milliseconds at_most, std::span<const net::Wake> wakes = {}) override;
    net::Upgrade upgrade(net::Request, std::span<const std::string> protocols) override;

  private:
    struct Exchange {
        net::Request request{};
        net::Handler handler{};
        bool served = false;
        Clock::Time started{};
        Clock::Time active{};
    };
    struct Delivery {
        Ticket ticket = 0;
        std::string bytes{};
        std::optional<net::Response> end{};
    };

    bool serve_new();
    bool deliver();
    bool run_due();
    bool unread() const;
    bool is_over(const net::Request&) const;
    void expire();
    Clock::Time next_event(Clock::Time end) const;

    FakeClock& clock_;
    Ticket last_ = 0;
    int idle_polls_ = 0;
    std::map<Ticket, Exchange> exchanges_{};
    std::deque<Delivery> deliveries_{};
    std::multimap<Clock::Time, std::function<void()>> actions_{};
    std::vector<std::weak_ptr<Wire>> wires_{};
};

}  // namespace hermesctl::testing
