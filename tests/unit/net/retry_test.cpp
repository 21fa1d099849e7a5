// The table of what is tried again, and the loop around it.
#include "hermesctl/net/retry.hpp"

#include "support/answers.hpp"
#include "support/fake_clock.hpp"

#include <deque>

#include <gmock/gmock.h>

namespace hermesctl::net {
namespace {

using std::chrono::milliseconds;

struct Row {
    const char* name = "";
    const char* method = "GET";
    Response response{};
    int attempt = 1;
    int delay_ms = -1;  // -1: not again
};

Response answer(int status, const char* retry_after = nullptr) {
    Response response{.status = status};
    if (retry_after != nullptr) response.headers = {{"retry-after", retry_after}};
    return response;
}
Response broken(bool connected, bool transient = true) {
    return {.failure = "broken", .connected = connected, .transient = transient};
}

class RetryTable : public ::testing::TestWithParam<Row> {};

TEST_P(RetryTable, Delay) {
    const auto& row = GetParam();
    auto delay = next_delay({.method = row.method}, row.response, row.attempt);
    EXPECT_EQ(delay ? delay->count() : -1, row.delay_ms);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, RetryTable,
    ::testing::Values(
        Row{"Success", "GET", answer(200)}, Row{"NotFound", "GET", answer(404, "1")},
        Row{"Conflict", "PATCH", answer(409, "1")}, Row{"TooManyRequests", "POST", answer(429, "1"), 1, 1000},
        Row{"TooManyRequestsLate", "GET", answer(429, "1"), 9, 1000},
        Row{"TooManyRequestsTenth", "GET", answer(429, "1"), 10},
        Row{"TooManyRequestsSilent", "GET", answer(429)}, Row{"ServerErrorSilent", "GET", answer(500)},
        Row{"Unavailable", "PATCH", answer(503, "5"), 1, 5000},
        Row{"UnavailableTotalReached", "GET", answer(503, "5"), 7}, Row{"LongWait", "GET", answer(503, "60")},
        Row{"DateIsNoNumber", "GET", answer(503, "Wed, 21 Oct 2026 07:28:00 GMT")},
        Row{"NegativeIsNone", "GET", answer(503, "-1")},
        Row{"ZeroDoesNotSpin", "GET", answer(429, "0"), 1, 100},
        Row{"RefusedFirst", "POST", broken(false), 1, 200},
        Row{"RefusedSecond", "PATCH", broken(false), 2, 500}, Row{"RefusedThird", "GET", broken(false), 3},
        Row{"ResetOfGet", "GET", broken(true), 1, 250}, Row{"ResetOfGetLater", "GET", broken(true), 5, 1000},
        Row{"ResetOfPatch", "PATCH", broken(true)}, Row{"ResetOfPost", "POST", broken(true)},
        Row{"BadCertificate", "GET", broken(false, false)}, Row{"TimedOut", "GET", broken(true, false)}),
    [](const auto& row) { return row.param.name; });

/// Answers what the script says, one answer a request.
class ScriptedTransport : public Transport {
  public:
    Ticket start(Request request, Handler handler) override {
        asked.push_back(request.target);
        open_.push_back(std::move(handler));
        return asked.size();
    }
    void cancel(Ticket) override {}
    void poll(milliseconds, std::span<const Wake>) override {
        auto handler = std::move(open_.front());
        open_.pop_front();
        handler.on_done(std::move(script.front()));
        script.pop_front();
    }
    Upgrade upgrade(Request, std::span<const std::string>) override { return {}; }

    std::deque<Response> script{};
    std::vector<std::string> asked{};

  private:
    std::deque<Handler> open_{};
};

TEST(ExchangeRetrying, RepeatsOnlyWhatFailedAndKeepsTheOrder) {
    ScriptedTransport transport;
    testing::FakeClock clock;
    transport.script = {answer(200), answer(429, "2"), answer(404), answer(503, "1"), answer(201)};
    const std::vector<Request> requests{{.target = "/a"}, {.target = "/b"}, {.target = "/c"}};
    auto answers = exchange_retrying(transport, clock, requests);
    EXPECT_THAT(transport.asked, ::testing::ElementsAre("/a", "/b", "/c", "/b", "/b"));
    EXPECT_EQ(answers[0].status, 200);
    EXPECT_EQ(answers[1].status, 201);
    EXPECT_EQ(answers[2].status, 404);
    EXPECT_EQ(clock.elapsed(), milliseconds{3000});
}

TEST(ExchangeRetrying, GivesUpWithTheLastAnswer) {
    ScriptedTransport transport;
    testing::FakeClock clock;
    for (int i = 0; i < 20; ++i)
        transport.script.push_back(answer(429, "1"));
    const Request request{.target = "/a"};
    EXPECT_EQ(exchange_retrying(transport, clock, {&request, 1})[0].status, 429);
    EXPECT_EQ(transport.asked.size(), 10u);
}

TEST(ExchangeRetrying, WaitsForNoTryBeyondTheEnd) {
    ScriptedTransport transport;
    testing::FakeClock clock;
    for (int i = 0; i < 20; ++i)
        transport.script.push_back(answer(429, "2"));
    const Request request{.target = "/a", .end = clock.now() + milliseconds{5000}};
    EXPECT_EQ(exchange_retrying(transport, clock, {&request, 1})[0].status, 429);
    EXPECT_EQ(transport.asked.size(), 3u);
    EXPECT_EQ(clock.elapsed(), milliseconds{4000});
}

}  // namespace
}  // namespace hermesctl::net
