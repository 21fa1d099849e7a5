// A watch stream of any bytes, cut anywhere: the lines do not depend on the cuts, and the watch survives
// them.
#include "hermesctl/kube/watch.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace hermesctl;

class StillClock : public Clock {
  public:
    Time now() override { return now_; }
    Wall wall() override { return {}; }
    void sleep(Duration) override {}
    void pass() { now_ += std::chrono::minutes(1); }

  private:
    Time now_{};
};

/// Answers nothing by itself: the fuzzer speaks for the server.
class Wire : public net::Transport {
  public:
    Ticket start(net::Request, net::Handler handler) override {
        handler_ = std::move(handler);
        return ++last_;
    }
    void cancel(Ticket) override { handler_ = {}; }
    void poll(std::chrono::milliseconds, std::span<const net::Wake>) override {}
    net::Upgrade upgrade(net::Request, std::span<const std::string>) override { return {}; }

    void chunk(std::string_view bytes) {
        const net::Handler handler = handler_;
        if (handler.on_chunk) handler.on_chunk(bytes);
    }
    void answer(std::string body) {
        const net::Handler handler = handler_;
        if (handler.on_done) handler.on_done({.status = 200, .body = std::move(body), .connected = true});
    }

  private:
    net::Handler handler_{};
    Ticket last_ = 0;
};

std::vector<std::string> lines_of(std::string_view bytes, std::size_t step) {
    kube::EventSplitter splitter;
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        for (std::string& line : splitter.feed(bytes.substr(0, step))) {
            lines.push_back(std::move(line));
        }
        bytes.remove_prefix(std::min(step, bytes.size()));
    }
    return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t step = 1 + data[0] % 16;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (lines_of(bytes, step) != lines_of(bytes, bytes.size() + 1)) std::abort();

    StillClock clock;
    Wire wire;
    kube::Objects objects;
    kube::Watch watch(wire, clock, "Pod", "hermes", objects);
    watch.advance();
    wire.answer(std::string(bytes));  // as a list
    clock.pass();
    watch.advance();
    wire.answer(R"({"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"a"}}]})");
    for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(step, rest.size()))) {
        wire.chunk(rest.substr(0, step));
    }
    watch.advance();
    wire.answer("");
    watch.advance();
    return 0;
}
