// Frames on a stream that is made of strings: every cut, the pings' timing, and writes that must not move.
#include "hermesctl/net/frames.hpp"

#include "support/fake_clock.hpp"

#include <deque>

#include <gmock/gmock.h>

namespace hermesctl::net {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

/// What is read and written, outliving the socket.
struct Wire {
    std::string incoming{};
    std::size_t step = SIZE_MAX;  // bytes a read gives at most
    bool ended = false;
    std::size_t window = SIZE_MAX;  // bytes that may be written before it blocks
    bool broken = false;
    std::string outgoing{};
    const char* refused = nullptr;  // the bytes that were refused last
    std::size_t refused_size = 0;
    bool moved = false;
    std::chrono::milliseconds unacknowledged{0};
};

class WireStream : public ByteStream {
  public:
    explicit WireStream(Wire& wire) : wire_{wire} {}
    Result read(std::span<char> into) override {
        if (wire_.incoming.empty()) return {wire_.ended ? Status::end : Status::again, 0};
        auto count = wire_.incoming.copy(into.data(), std::min(into.size(), wire_.step));
        wire_.incoming.erase(0, count);
        return {Status::ok, count};
    }
    Result write(std::string_view bytes) override {
        if (wire_.broken) return {Status::failed, 0};
        if (wire_.refused != nullptr) {
            wire_.moved = wire_.moved || bytes.data() != wire_.refused || bytes.size() < wire_.refused_size;
        }
        auto count = std::min(bytes.size(), wire_.window);
        wire_.window -= count;
        wire_.outgoing += bytes.substr(0, count);
        wire_.refused = count == 0 ? bytes.data() : nullptr;
        wire_.refused_size = bytes.size();
        return {count > 0 ? Status::ok : Status::again, count};
    }
    int fd() const override { return -1; }
    std::chrono::milliseconds unacknowledged() const override { return wire_.unacknowledged; }

  private:
    Wire& wire_;
};

class Frames : public ::testing::Test {
  protected:
    void open(std::string early = "") {
        socket =
            make_websocket(std::make_unique<WireStream>(wire), clock, "v5.channel.k8s.io", std::move(early));
    }
    std::vector<std::string> all() {
        std::vector<std::string> messages;
        while (auto message = socket->receive())
            messages.push_back(*message);
        return messages;
    }
    /// The payloads of the pings that were written.
    std::vector<std::string> pings() const {
        std::vector<std::string> found;
        for (std::size_t at = 0; at + 6 <= wire.outgoing.size();) {
            const std::size_t size = static_cast<unsigned char>(wire.outgoing[at + 1]) & 0x7f;
            std::string payload = wire.outgoing.substr(at + 6, size);
            for (std::size_t i = 0; i < payload.size(); ++i)
                payload[i] = static_cast<char>(payload[i] ^ wire.outgoing[at + 2 + i % 4]);
            if (wire.outgoing[at] == '\x89') found.push_back(std::move(payload));
            at += 6 + size;
        }
        return found;
    }
    void pong(const std::string& payload) {
        wire.incoming += "\x8a" + std::string(1, static_cast<char>(payload.size())) + payload;
    }
    /// So many seconds, with a look each second.
    void pass(int seconds) {
        for (int i = 0; i < seconds; ++i) {
            clock.advance(1s);
            socket->receive();
        }
    }

    Wire wire{};
    testing::FakeClock clock{};
    std::unique_ptr<WebSocket> socket{};
};

const std::string hello = "\x82\x05hello";
const std::string goodbye = {'\x88', '\x02', '\x03', '\xe8'};

TEST_F(Frames, ArriveWhereverTheStreamIsCut) {
    const std::string bytes =
        hello + "\x02\x03one" + "\x80\x03two" + "\x82\x7e\x01\x2c" + std::string(300, 'x') + goodbye;
    for (std::size_t step = 1; step < 20; ++step) {
        for (std::size_t early : {0u, 1u, 7u, 300u}) {
            wire = {.incoming = bytes.substr(early), .step = step};
            open(bytes.substr(0, early));
            EXPECT_THAT(all(), ElementsAre("hello", "onetwo", std::string(300, 'x')));
            EXPECT_TRUE(socket->closed());
            EXPECT_EQ(socket->failure(), "");
        }
    }
}

TEST_F(Frames, AMessageIsReadOnlyWhenItIsAskedFor) {
    for (int i = 0; i < 10'000; ++i)
        wire.incoming += hello;
    open();
    EXPECT_EQ(socket->receive(), "hello");
    EXPECT_GT(wire.incoming.size(), hello.size() * 5000) << "a fast server must not fill our memory";
    EXPECT_EQ(all().size(), 9'999u);
}

TEST_F(Frames, WhatWasRefusedIsOfferedAgainUnmoved) {
    wire.window = 100;
    open();
    for (int i = 0; i < 50; ++i) {
        socket->send(std::string(5000, 'x'));
        if (i % 7 == 0) wire.window = 3000;
    }
    EXPECT_GT(socket->queued(), 200'000u);
    for (int i = 0; i < 1000 && socket->queued() > 0; ++i) {
        socket->receive();
        wire.window = 700;
        socket->receive();
    }
    EXPECT_EQ(socket->queued(), 0u);
    EXPECT_FALSE(wire.moved);
    EXPECT_EQ(wire.outgoing.size(), 50u * (5000 + 8));
}

TEST_F(Frames, PingsWhileNothingElseIsSent) {
    open();
    for (int i = 0; i < 30; ++i) {
        clock.advance(1s);
        wire.incoming += "\x8a";  // an unasked pong counts as a sign of life
        wire.incoming += '\0';
        socket->receive();
    }
    EXPECT_GE(pings().size(), 2u);
    EXPECT_LE(pings().size(), 6u);
}

TEST_F(Frames, NoPingAfterTheServersClose) {
    open();
    wire.incoming = goodbye;
    socket->receive();
    auto sent = wire.outgoing.size();
    clock.advance(100s);
    socket->receive();
    socket->send("late");
    EXPECT_EQ(wire.outgoing.size(), sent);
    EXPECT_EQ(socket->failure(), "");
}

TEST_F(Frames, AServerThatAnswersNoPingIsLost) {
    open();
    pass(60);
    EXPECT_FALSE(socket->closed()) << "it owes an answer since the first ping";
    pass(12);
    EXPECT_TRUE(socket->closed());
    EXPECT_THAT(socket->failure(), ::testing::HasSubstr("not answered for 60 s"));
}

TEST_F(Frames, APauseOfOursIsNoLoss) {
    open();
    clock.advance(300s);  // stopped before any ping: nobody was asked anything
    socket->receive();
    EXPECT_FALSE(socket->closed());
    pong(pings().back());
    clock.advance(300s);  // stopped again, with the answer in the kernel
    socket->receive();
    EXPECT_FALSE(socket->closed());
    pong(pings().back());
    socket->receive();
    clock.advance(300s);  // and again, owed nothing
    socket->receive();
    EXPECT_FALSE(socket->closed());
}

TEST_F(Frames, SilenceWhileInputIsUnreadIsNoLoss) {
    open();
    socket->send("input that the remote program has not read: the server's reader is blocked");
    pass(300);
    EXPECT_FALSE(socket->closed());
}

TEST_F(Frames, APathThatAcknowledgesNothingIsLostWhileInputIsUnread) {
    open();
    socket->send("input");
    wire.unacknowledged = 59s;
    pass(100);
    EXPECT_FALSE(socket->closed());
    wire.unacknowledged = 61s;
    pass(1);
    EXPECT_TRUE(socket->closed());
    EXPECT_THAT(socket->failure(), ::testing::HasSubstr("not answered for 60 s"));
}

TEST_F(Frames, APathThatTakesNoMoreBytesIsLostTheSameWay) {
    wire.window = 0;
    open();
    socket->send("input");
    wire.unacknowledged = 61s;
    pass(62);
    EXPECT_TRUE(socket->closed());
}

TEST_F(Frames, APauseOfOursIsNoSilenceOfTheServers) {
    open();
    for (int i = 0; i < 3; ++i) {
        socket->send("input");
        wire.unacknowledged = 300s;  // for the one round trip: nothing was owed before
        pass(1);
        EXPECT_FALSE(socket->closed()) << i;
        wire.unacknowledged = 0s;
        pass(100);
    }
    wire.unacknowledged = 1s;  // a steady upload, which stops with us
    socket->send("input");
    pass(100);
    clock.advance(300s);
    wire.unacknowledged = 300s;
    pass(1);
    EXPECT_FALSE(socket->closed());
}

TEST_F(Frames, OnlyAnAnswerFromAfterTheInputTellsThatItWasRead) {
    open();
    pass(10);
    ASSERT_EQ(pings().size(), 1u);
    socket->send("input");
    pong(pings().at(0));  // it was on its way already
    pass(300);
    EXPECT_FALSE(socket->closed());
    pong(pings().back());
    pass(61);
    EXPECT_FALSE(socket->closed());
    pass(20);
    EXPECT_TRUE(socket->closed()) << "all input is read, so the server is free to answer";
}

TEST_F(Frames, WhatCameBeforeABrokenWriteIsStillDelivered) {
    open();
    wire.broken = true;
    socket->send("input");
    wire.incoming = hello + goodbye;
    EXPECT_THAT(all(), ElementsAre("hello"));
    EXPECT_TRUE(socket->closed());
    EXPECT_EQ(socket->failure(), "");
    EXPECT_EQ(socket->queued(), 0u);
}

TEST_F(Frames, TheEndInAFrameIsALoss) {
    wire = {.incoming = hello + "\x82\x05he", .ended = true};
    open();
    EXPECT_THAT(all(), ElementsAre("hello"));
    EXPECT_EQ(socket->failure(), "the connection was lost");
}

TEST_F(Frames, SaysGoodbyeWhenItIsDropped) {
    open();
    socket.reset();
    EXPECT_EQ(wire.outgoing.substr(0, 2), "\x88\x82");
}

}  // namespace
}  // namespace hermesctl::net
