// A UDP server of a test's own, for the scripts that ask name servers and time servers.
#pragma once

#include "support/loopback_socket.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace hermesctl::testing {

/// Answers each datagram on loopback as it is told, in a thread of its own.
class AnsweringSocket {
  public:
    /// What is sent back; nothing for "".
    using Answer = std::function<std::string(std::string_view asked)>;

    explicit AnsweringSocket(Answer answer) : answer_(std::move(answer)) {
        thread_ = std::thread([this] { serve(); });
    }
    ~AnsweringSocket() {
        ended_ = true;
        thread_.join();
    }
    AnsweringSocket(const AnsweringSocket&) = delete;
    AnsweringSocket& operator=(const AnsweringSocket&) = delete;

    int port() const { return socket_.port(); }

  private:
    void serve() {
        while (!ended_) {
            pollfd one{socket_.fd(), POLLIN, 0};
            if (::poll(&one, 1, 20) <= 0) continue;
            std::array<char, 512> asked{};
            sockaddr_in peer{};
            socklen_t size = sizeof peer;
            auto* plain = reinterpret_cast<sockaddr*>(&peer);
            const ssize_t got = ::recvfrom(socket_.fd(), asked.data(), asked.size(), 0, plain, &size);
            if (got < 0) continue;
            const std::string answer = answer_({asked.data(), static_cast<std::size_t>(got)});
            if (answer.empty()) continue;
            if (::sendto(socket_.fd(), answer.data(), answer.size(), 0, plain, size) < 0) return;
        }
    }

    LoopbackSocket socket_{SOCK_DGRAM};
    Answer answer_;
    std::atomic<bool> ended_{false};
    std::thread thread_{};
};

}  // namespace hermesctl::testing
