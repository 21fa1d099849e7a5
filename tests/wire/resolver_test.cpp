// A name server that never answers: neither a time limit nor Ctrl-C may wait for it.
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "wire/client.hpp"

#include <atomic>
#include <csignal>
#include <string_view>
#include <thread>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <netdb.h>

namespace {

using namespace std::chrono_literals;

std::atomic<bool> silent{false};
std::atomic<int> asked{0};
std::atomic<int> asking{0};

}  // namespace

/// The program's own definition comes before libc's: libcurl's resolver thread ends up here.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
    if (node == nullptr || std::string_view{node} != "silent.example") {
        static const auto real =
            reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
        return real(node, service, hints, result);
    }
    ++asking;
    ++asked;
    for (int i = 0; silent && i < 6000; ++i)  // not for ever: a test that fails must end, too
        std::this_thread::sleep_for(10ms);
    --asking;
    return EAI_AGAIN;
}

namespace hermesctl::testing {
namespace {

using ::testing::HasSubstr;

class SilentResolver : public ::testing::Test {
  protected:
    void SetUp() override {
        catch_interrupts();
        silent = true;
        asked = 0;
    }
    /// The forgotten threads end here: what is theirs is no leak then.
    void TearDown() override {
        silent = false;
        while (asking > 0)
            std::this_thread::sleep_for(10ms);
        std::this_thread::sleep_for(50ms);
    }

    std::unique_ptr<net::Transport> transport() {
        net::Endpoint endpoint;
        endpoint.url = "https://silent.example:6443";
        return connect(endpoint);
    }
    net::Request request() {
        auto request = get("/");
        request.timeout = 300ms;
        return request;
    }
};

TEST_F(SilentResolver, TheTimeLimitHolds) {
    net::Response answer;
    auto took = time_of([&] { answer = net::send(*transport(), request()); });
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(answer.failure, "no connection to silent.example:6443 within the time limit");
    EXPECT_LT(took, 20s);
}

TEST_F(SilentResolver, TheTimeLimitOfAHandshakeHolds) {
    net::Upgrade upgrade;
    auto took = time_of([&] { upgrade = transport()->upgrade(request(), {}); });
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(upgrade.answer.failure, "no connection to silent.example:6443 within the time limit");
    EXPECT_LT(took, 20s);
}

TEST_F(SilentResolver, CtrlCDoesNotWait) {
    std::thread key{[] {
        while (asked == 0)
            std::this_thread::sleep_for(10ms);
        std::raise(SIGINT);
    }};
    auto took = time_of([&] {
        auto patient = request();
        patient.timeout = 60s;
        EXPECT_THROW(net::send(*transport(), patient), Error);
    });
    key.join();
    EXPECT_LT(took, 20s);
}

}  // namespace
}  // namespace hermesctl::testing
