// The scripted network: requests in, deliveries out, in the order they were queued.
#include "support/fake_transport.hpp"

#include <algorithm>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace hermesctl::testing {
namespace {

class FakeSocket : public net::WebSocket {
  public:
    explicit FakeSocket(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
    ~FakeSocket() override { wire_->incoming.clear(); }  // nobody reads it any more
    FakeSocket(const FakeSocket&) = delete;
    FakeSocket& operator=(const FakeSocket&) = delete;

    const std::string& protocol() const override { return wire_->protocol; }
    void send(std::string_view message) override {
        wire_->sent.emplace_back(message);
        if (wire_->on_send) wire_->on_send(wire_->sent.back());
    }
    std::size_t queued() const override { return wire_->queued; }
    std::optional<std::string> receive() override {
        if (wire_->incoming.empty()) return std::nullopt;
        std::string message = std::move(wire_->incoming.front());
        wire_->incoming.pop_front();
        return message;
    }
    bool closed() const override {
        return wire_->incoming.empty() && (wire_->ended || !wire_->failure.empty());
    }
    const std::string& failure() const override { return wire_->failure; }
    int fd() const override { return -1; }

  private:
    std::shared_ptr<Wire> wire_;
};

constexpr int too_many_idle_polls = 100'000;

}  // namespace

std::unique_ptr<net::WebSocket> socket_on(std::shared_ptr<Wire> wire) {
    return std::make_unique<FakeSocket>(std::move(wire));
}

net::Response answer(int status, std::string body, std::vector<net::Header> headers) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body), .connected = true};
}

net::Response refusal(int status, std::string reason, std::string message) {
    const nlohmann::json body{{"kind", "Status"},   {"apiVersion", "v1"}, {"status", "Failure"},
                              {"message", message}, {"reason", reason},   {"code", status}};
    return answer(status, body.dump(), {{"Content-Type", "application/json"}});
}

net::Response no_answer(std::string failure, bool connected) {
    return {.failure = std::move(failure), .connected = connected, .transient = true};
}

void FakeTransport::chunk(Ticket ticket, std::string bytes) {
    deliveries_.push_back({ticket, std::move(bytes), std::nullopt});
}

void FakeTransport::finish(Ticket ticket, net::Response response) {
    deliveries_.push_back({ticket, {}, std::move(response)});
}

void FakeTransport::after(Clock::Duration delay, std::function<void()> action) {
    actions_.emplace(clock_.now() + delay, std::move(action));
}

std::vector<net::Transport::Ticket> FakeTransport::in_flight() const {
    std::vector<Ticket> tickets;
    for (const auto& [ticket, exchange] : exchanges_) {
        tickets.push_back(ticket);
    }
    return tickets;
}

net::Transport::Ticket FakeTransport::start(net::Request request, net::Handler handler) {
    if (before_start) before_start(request);
    requests.push_back(request);
    exchanges_[++last_] = {std::move(request), std::move(handler), false, clock_.now(), clock_.now()};
    return last_;
}

void FakeTransport::cancel(Ticket ticket) {
    if (exchanges_.erase(ticket) > 0) cancelled.push_back(ticket);
}

net::Upgrade FakeTransport::upgrade(net::Request request, std::span<const std::string> protocols) {
    requests.push_back(request);
    if (open) return open(request, protocols);
    return {nullptr, refusal(404, "NotFound", "pods not found")};
}

void FakeTransport::poll(std::chrono::milliseconds at_most, std::span<const net::Wake> wakes) {
    const bool woken = std::ranges::any_of(wakes, &net::Wake::now);
    const bool ran = run_due();  // whoever let the time pass
    const bool served = serve_new();
    if (deliver() || served || ran || woken || unread()) {
        idle_polls_ = 0;
        return;
    }
    if (++idle_polls_ > too_many_idle_polls) throw std::logic_error("the fake transport waits for nothing");
    const Clock::Time next = next_event(clock_.now() + at_most);
    clock_.advance(std::chrono::ceil<std::chrono::milliseconds>(next - clock_.now()));
    run_due();
    expire();
    serve_new();
    deliver();
}

bool FakeTransport::serve_new() {
    std::vector<Ticket> fresh;
    for (auto& [ticket, exchange] : exchanges_) {
        if (!std::exchange(exchange.served, true)) fresh.push_back(ticket);
    }
    bool any = false;
    for (const Ticket ticket : fresh) {
        if (is_over(request(ticket))) {
            finish(ticket, {.failure = "no connection was free within the time limit"});
            any = true;
        } else if (serve) {
            const net::Request copy = request(ticket);
            serve(ticket, copy);
            any = true;
        } else if (!answers.empty()) {
            finish(ticket, std::move(answers.front()));
            answers.pop_front();
            any = true;
        }
    }
    return any;
}

/// As the transport's contract has it: 2xx bodies go to on_chunk where there is one.
bool FakeTransport::deliver() {
    const bool any = !deliveries_.empty();
    for (std::size_t count = deliveries_.size(); count > 0; --count) {
        Delivery delivery = std::move(deliveries_.front());
        deliveries_.pop_front();
        const auto found = exchanges_.find(delivery.ticket);
        if (found == exchanges_.end()) continue;
        found->second.active = clock_.now();
        const net::Handler handler = found->second.handler;
        if (!delivery.end) {
            if (handler.on_chunk) handler.on_chunk(delivery.bytes);
            continue;
        }
        const bool cut_off = delivery.end->status == 0;  // after the bytes that came
        if ((delivery.end->ok() || cut_off) && handler.on_chunk && !delivery.end->body.empty()) {
            handler.on_chunk(std::exchange(delivery.end->body, {}));
        }
        if (exchanges_.erase(delivery.ticket) > 0 && handler.on_done)
            handler.on_done(std::move(*delivery.end));
    }
    return any;
}

bool FakeTransport::run_due() {
    bool any = false;
    while (!actions_.empty() && actions_.begin()->first <= clock_.now()) {
        const std::function<void()> action = std::move(actions_.begin()->second);
        actions_.erase(actions_.begin());
        action();
        any = true;
    }
    return any;
}

bool FakeTransport::unread() const {
    return std::any_of(wires_.begin(), wires_.end(), [](const std::weak_ptr<Wire>& weak) {
        const std::shared_ptr<Wire> wire = weak.lock();
        return wire && !wire->incoming.empty();
    });
}

bool FakeTransport::is_over(const net::Request& request) const {
    return request.timeout.count() > 0 && clock_.now() >= request.end;
}

void FakeTransport::expire() {
    for (const auto& [ticket, exchange] : exchanges_) {
        const net::Request& request = exchange.request;
        const bool late =
            (request.timeout.count() > 0 && clock_.now() - exchange.started >= request.timeout) ||
            is_over(request);
        const bool silent = request.idle.count() > 0 && clock_.now() - exchange.active >= request.idle;
        net::Response none = no_answer(late ? "timed out" : "no byte for too long", true);
        none.transient = late;  // after a silence no other try is made
        if (late || silent) finish(ticket, std::move(none));
    }
}

Clock::Time FakeTransport::next_event(Clock::Time end) const {
    if (!actions_.empty()) end = std::min(end, actions_.begin()->first);
    for (const auto& [ticket, exchange] : exchanges_) {
        const net::Request& request = exchange.request;
        if (request.timeout.count() > 0)
            end = std::min({end, exchange.started + request.timeout, request.end});
        if (request.idle.count() > 0) end = std::min(end, exchange.active + request.idle);
    }
    return std::max(end, clock_.now());
}

}  // namespace hermesctl::testing
