// The answer to an upgrade, read from bytes that may be anybody's.
#include "net/handshake.hpp"

#include <gtest/gtest.h>

namespace hermesctl::net {
namespace {

std::string chunked(const std::string& body) {
    return "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

std::string repeated(std::string_view text, std::size_t at_least) {
    std::string all;
    while (all.size() < at_least)
        all += text;
    return all;
}

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

TEST(UpgradeAnswer, AChunkThatWouldFillTheAddressSpaceIsNotThereYet) {
    for (const char* size : {"fffffffffffffffe", "ffffffffffffffff"}) {
        const std::string text = chunked(size + std::string("\r\nab\r\ncd\r\n"));
        EXPECT_FALSE(read_handshake_answer(text, false)) << size;
        EXPECT_EQ(read_handshake_answer(text, true)->response.body, "ab\r\ncd\r\n") << size;
    }
}

TEST(UpgradeAnswer, IsTheOneAfterThoseThatAnnounceIt) {
    const std::string early = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    const auto answer = read_handshake_answer(
        std::string(go_on) + early + "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", false);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response.status, 404);
    EXPECT_EQ(answer->response.body, "no");
    EXPECT_EQ(answer->response.header("Link"), "");
    EXPECT_FALSE(read_handshake_answer(go_on, false));
}

TEST(UpgradeAnswer, AnnouncementsWithoutEndAreNone) {
    const auto answer = read_handshake_answer(repeated(go_on, 16u << 20), false);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response.failure, "the server's answer has no end");
}

TEST(UpgradeAnswer, ASizeWithoutEndIsNoLongerAwaited) {
    EXPECT_TRUE(read_handshake_answer(chunked(std::string(8u << 20, '0')), false));
}

}  // namespace
}  // namespace hermesctl::net
