// Exchanges in flight on one libcurl multi handle. Inside curl's callbacks bytes are only put aside; handlers
// run afterwards, so that they may throw, and start and cancel exchanges.
#include "curl_exchange.hpp"
#include "curl_upgrade.hpp"
#include "hermesctl/base/interrupt.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>

namespace hermesctl::net {
namespace {

using std::chrono::milliseconds;

constexpr long spare_connections = 16;  // for streams, beside max_connections

/// For -v: what was asked, what came, how long it took, and whether a connection had to be made for it.
void log(const Exchange& exchange) {
    if (!spdlog::should_log(spdlog::level::debug)) return;
    double seconds = 0;
    long connections = 0;
    curl_easy_getinfo(exchange.easy.get(), CURLINFO_TOTAL_TIME, &seconds);
    curl_easy_getinfo(exchange.easy.get(), CURLINFO_NUM_CONNECTS, &connections);
    const Response& response = exchange.response;
    spdlog::debug("{} {} {} in {:.1f} ms{}", exchange.request.method, exchange.request.target,
                  response.status != 0 ? std::to_string(response.status) : response.failure, seconds * 1000,
                  connections > 0 ? ", new connection" : "");
}

class CurlTransport final : public Transport {
  public:
    CurlTransport(Endpoint endpoint, Clock& clock)
        : link_{std::move(endpoint)}, clock_{clock}, multi_{curl_multi_init()} {
        if (!multi_) throw Error{ExitCode::failed, "libcurl cannot be started"};
        curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                          link_.endpoint().max_connections + spare_connections);
    }

    ~CurlTransport() override {
        for (auto& [ticket, exchange] : exchanges_)
            stop(*exchange);
    }

    CurlTransport(const CurlTransport&) = delete;
    CurlTransport& operator=(const CurlTransport&) = delete;

    Ticket start(Request, Handler) override;
    void cancel(Ticket) override;
    void poll(milliseconds at_most, std::span<const Wake>) override;
    Upgrade upgrade(Request, std::span<const std::string> protocols) override;

  private:
    void stop(Exchange&);
    void admit();
    void perform();
    void collect(CURL*, CURLcode);
    void end_idle();
    bool deliver();
    bool ask_again(Exchange&);
    std::optional<Credentials> fresh_credentials(const Credentials& rejected, int renewals);
    bool wait(milliseconds, std::span<const Wake>);
    milliseconds until_idle(milliseconds at_most);

    CurlLink link_;
    Clock& clock_;
    Multi multi_;
    std::map<Ticket, std::shared_ptr<Exchange>> exchanges_{};
    std::deque<Ticket> waiting_{};
    Ticket last_ = 0;
    int renewals_ = 0;
};

Transport::Ticket CurlTransport::start(Request request, Handler handler) {
    auto exchange = std::make_shared<Exchange>();
    exchange->request = std::move(request);
    exchange->handler = std::move(handler);
    exchange->clock = &clock_;
    exchange->sent = link_.credentials(false);
    exchange->renewals = renewals_;
    exchange->prepare(link_);
    exchanges_.emplace(++last_, std::move(exchange));
    waiting_.push_back(last_);
    return last_;
}

void CurlTransport::stop(Exchange& exchange) {
    if (exchange.running) curl_multi_remove_handle(multi_.get(), exchange.easy.get());
    exchange.running = false;
}

void CurlTransport::cancel(Ticket ticket) {
    auto found = exchanges_.find(ticket);
    if (found == exchanges_.end()) return;
    stop(*found->second);
    std::erase(waiting_, ticket);
    exchanges_.erase(found);
}

/// Puts to work what the limit on connections allows. Streams never wait: they would hold the place for good.
void CurlTransport::admit() {
    auto busy = std::ranges::count_if(
        exchanges_, [](const auto& entry) { return entry.second->running && !entry.second->stream(); });
    std::deque<Ticket> later;
    const auto now = clock_.now();
    for (auto ticket : std::exchange(waiting_, {})) {
        auto& exchange = *exchanges_.at(ticket);
        if (now >= exchange.request.end) {
            exchange.finished = true;
            exchange.response = {.failure = "no connection was free within the time limit"};
            continue;
        }
        if (!exchange.stream() && busy >= link_.endpoint().max_connections) {
            later.push_back(ticket);
            continue;
        }
        exchange.begin(now);
        if (curl_multi_add_handle(multi_.get(), exchange.easy.get()) != CURLM_OK) throw std::bad_alloc{};
        busy += exchange.stream() ? 0 : 1;
    }
    waiting_ = std::move(later);
}

void CurlTransport::perform() {
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    int left = 0;
    while (auto* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE) collect(message->easy_handle, message->data.result);
    }
    end_idle();
}

void CurlTransport::collect(CURL* easy, CURLcode code) {
    char* self = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
    auto& exchange = *reinterpret_cast<Exchange*>(self);
    exchange.settle(link_, code);
    log(exchange);
    stop(exchange);
    exchange.finished = true;
}

void CurlTransport::end_idle() {
    auto now = clock_.now();
    for (auto& [ticket, exchange] : exchanges_) {
        auto limit = exchange->request.idle;
        if (!exchange->running || limit.count() == 0 || now - exchange->heard < limit) continue;
        stop(*exchange);
        exchange->finished = true;
        exchange->response = {};
        exchange->response.connected = true;
        exchange->response.failure = fmt::format("nothing came for {} s", limit.count() / 1000);
    }
}

/// Hands over what has come; true when there was something.
bool CurlTransport::deliver() {
    bool any = false;
    std::vector<Ticket> tickets;
    for (const auto& entry : exchanges_)
        tickets.push_back(entry.first);
    for (auto ticket : tickets) {
        auto found = exchanges_.find(ticket);
        if (found == exchanges_.end()) continue;
        auto exchange = found->second;  // kept alive: its handler may cancel it
        if (!exchange->fresh.empty()) {
            any = true;
            exchange->handler.on_chunk(std::exchange(exchange->fresh, {}));
            if (!exchanges_.contains(ticket)) continue;
        }
        if (!exchange->finished) continue;
        if (ask_again(*exchange)) {
            waiting_.push_front(ticket);
            continue;
        }
        any = true;
        exchanges_.erase(ticket);
        if (exchange->handler.on_done) exchange->handler.on_done(std::move(exchange->response));
    }
    return any;
}

/// After a 401: true when there are other credentials, and the exchange is ready to begin anew with them.
bool CurlTransport::ask_again(Exchange& exchange) {
    if (exchange.response.status != 401 || exchange.asked_again) return false;
    auto other = fresh_credentials(exchange.sent, exchange.renewals);
    if (!other) return false;
    exchange.asked_again = true;
    exchange.sent = std::move(*other);
    exchange.prepare(link_);
    return true;
}

/// Other credentials than the rejected ones, if there are any. A plugin is asked once for all that were
/// rejected together, also when it has nothing new to give.
std::optional<Credentials> CurlTransport::fresh_credentials(const Credentials& rejected, int renewals) {
    auto now = link_.credentials(false);  // another exchange may have had them renewed already
    if (now == rejected && renewals == renewals_) {
        ++renewals_;
        now = link_.credentials(true);
    }
    if (now == rejected) return std::nullopt;
    return now;
}

milliseconds CurlTransport::until_idle(milliseconds at_most) {
    auto now = clock_.now();
    for (const auto& [ticket, exchange] : exchanges_) {
        if (!exchange->running || exchange->request.idle.count() == 0) continue;
        auto left = std::chrono::ceil<milliseconds>(exchange->heard + exchange->request.idle - now);
        at_most = std::clamp(left, milliseconds{0}, at_most);
    }
    return at_most;
}

/// True when one of `wakes` is ready, also when its other end is gone (which curl does not report).
bool CurlTransport::wait(milliseconds at_most, std::span<const Wake> wakes) {
    std::vector<curl_waitfd> extra;
    std::vector<pollfd> asked;
    auto add = [](auto& list, int fd, int events) { list.push_back({fd, static_cast<short>(events), 0}); };
    for (const auto& wake : wakes) {
        if (wake.fd < 0) continue;
        add(extra, wake.fd, CURL_WAIT_POLLIN | (wake.write ? CURL_WAIT_POLLOUT : 0));
        add(asked, wake.fd, POLLIN | (wake.write ? POLLOUT : 0));
    }
    if (interrupt_fd() >= 0) add(extra, interrupt_fd(), CURL_WAIT_POLLIN);
    curl_multi_poll(multi_.get(), extra.data(), static_cast<unsigned>(extra.size()),
                    static_cast<int>(std::min<milliseconds>(at_most, std::chrono::hours{1}).count()),
                    nullptr);
    return !asked.empty() && ::poll(asked.data(), asked.size(), 0) > 0;
}

void CurlTransport::poll(milliseconds at_most, std::span<const Wake> wakes) {
    if (std::ranges::any_of(wakes, &Wake::now)) at_most = milliseconds{0};
    auto end = clock_.now() + at_most;
    for (bool woken = false;;) {
        throw_if_interrupted();
        admit();
        perform();
        if (deliver() || woken) return;
        auto left = std::chrono::ceil<milliseconds>(end - clock_.now());
        if (left.count() <= 0) return;
        admit();  // a callback may have started more; curl then does not wait
        woken = wait(until_idle(left), wakes);
    }
}

Upgrade CurlTransport::upgrade(Request request, std::span<const std::string> protocols) {
    auto credentials = link_.credentials(false);
    auto result = open_websocket(link_, clock_, credentials, request, protocols);
    // Without its query: that is the command, which may hold anything.
    spdlog::debug("upgrade {} {}", request.target.substr(0, request.target.find('?')), result.answer.status);
    if (result.answer.status != 401) return result;
    auto other = fresh_credentials(credentials, renewals_);
    return other ? open_websocket(link_, clock_, *other, request, protocols) : std::move(result);
}

}  // namespace

std::unique_ptr<Transport> make_curl_transport(Endpoint endpoint, Clock& clock) {
    static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!ready) throw Error{ExitCode::failed, "libcurl cannot be started"};
    return std::make_unique<CurlTransport>(std::move(endpoint), clock);
}

bool is_proxied(const Endpoint& endpoint) {
    return !CurlLink(endpoint).proxy().empty();
}

std::string curl_version() {
    const auto* info = curl_version_info(CURLVERSION_NOW);
    return fmt::format("curl {} {}", info->version, info->ssl_version != nullptr ? info->ssl_version : "");
}

}  // namespace hermesctl::net
