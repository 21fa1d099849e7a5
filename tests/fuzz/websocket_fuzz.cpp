// Any bytes from a server: the frame reader must end, keep to its limits and never read past them.
// The first byte says how the stream is cut, the second how much came with the handshake.
#include "hermesctl/net/frames.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace hermesctl;

class Stopped : public Clock {
  public:
    Time now() override { return {}; }
    Wall wall() override { return {}; }
    void sleep(Duration) override {}
};

class Bytes : public net::ByteStream {
  public:
    Bytes(std::string_view bytes, std::size_t step) : left_{bytes}, step_{step} {}
    Result read(std::span<char> into) override {
        if (left_.empty()) return {Status::end, 0};
        if (tired_ = !tired_; tired_) return {Status::again, 0};
        auto count = left_.copy(into.data(), std::min(into.size(), step_));
        left_.remove_prefix(count);
        return {Status::ok, count};
    }
    Result write(std::string_view bytes) override {
        if (tired_) return {Status::again, 0};
        return {Status::ok, std::min(bytes.size(), step_)};
    }
    int fd() const override { return -1; }
    std::chrono::milliseconds unacknowledged() const override { return {}; }

  private:
    std::string_view left_;
    std::size_t step_;
    bool tired_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    std::string_view bytes{reinterpret_cast<const char*>(data) + 2, size - 2};
    auto early = std::min<std::size_t>(data[1], bytes.size());
    Stopped clock;
    auto socket = net::make_websocket(std::make_unique<Bytes>(bytes.substr(early), data[0] + 1u), clock, "",
                                      std::string{bytes.substr(0, early)});
    std::size_t received = 0;
    for (std::size_t turns = 0; !socket->closed(); ++turns) {
        if (auto message = socket->receive()) received += message->size();
        if (turns % 3 == 0) socket->send("input");
        if (turns > 4 * size + 16) std::abort();  // it does not come to an end
    }
    if (received > size) std::abort();  // more came out than went in
    return 0;
}
