// Headers by name, percent-encoding, and what a failing exchange leaves behind.
#include "hermesctl/net/http.hpp"

#include "hermesctl/base/error.hpp"
#include "support/answers.hpp"

#include <gmock/gmock.h>

namespace hermesctl::net {
namespace {

TEST(Response, FindsAHeaderInAnyCase) {
    Response response{.headers = {{"Retry-After", "1"}, {"WARNING", "a"}, {"warning", "b"}}};
    EXPECT_EQ(response.header("retry-after"), "1");
    EXPECT_EQ(response.header("Warning"), "a");
    EXPECT_EQ(response.header("Warnin"), "");
}

TEST(PercentEncode, KeepsOnlyUnreservedCharacters) {
    EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
    EXPECT_EQ(percent_encode("a b+c/d?e&f=g%"), "a%20b%2Bc%2Fd%3Fe%26f%3Dg%25");
    EXPECT_EQ(percent_encode("\xc3\xa9\n"), "%C3%A9%0A");
    EXPECT_EQ(percent_encode(std::string_view{"\0", 1}), "%00");
}

class FailingTransport : public Transport {
  public:
    Ticket start(Request, Handler) override { return ++last; }
    void cancel(Ticket ticket) override { cancelled.push_back(ticket); }
    void poll(std::chrono::milliseconds, std::span<const Wake>) override {
        throw Error{ExitCode::interrupted, "interrupted"};
    }
    Upgrade upgrade(Request, std::span<const std::string>) override { return {}; }

    Ticket last = 0;
    std::vector<Ticket> cancelled{};
};

TEST(Exchange, CancelsItsRequestsWhenItIsInterrupted) {
    FailingTransport transport;
    const std::vector<Request> requests(3);
    EXPECT_THROW(net::exchange(transport, requests), Error);
    EXPECT_THAT(transport.cancelled, ::testing::ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace hermesctl::net
