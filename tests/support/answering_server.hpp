// An HTTP server of a test's own, for the scripts that ask Telegram and providers.
#pragma once

#include "support/loopback_socket.hpp"

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hermesctl::testing {

/// Answers each request on loopback from a table, in a thread of its own, one after the other.
class AnsweringServer {
  public:
    AnsweringServer() {
        socket_.listen();
        thread_ = std::thread([this] { serve(); });
    }
    ~AnsweringServer() {
        ::shutdown(socket_.fd(), SHUT_RDWR);
        thread_.join();
    }
    AnsweringServer(const AnsweringServer&) = delete;
    AnsweringServer& operator=(const AnsweringServer&) = delete;

    const std::string& url() const { return url_; }
    /// `headers`: whole lines, each with its end.
    void answer(const std::string& request, int status, const std::string& body,
                const std::string& headers = "") {
        const std::lock_guard lock(mutex_);
        answers_[request] = {status, body, headers};
    }
    /// Whole requests, as they came.
    std::vector<std::string> requests() {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

  private:
    struct Answer {
        int status = 0;
        std::string body{};
        std::string headers{};
    };
    void serve() {
        while (true) {
            const int peer = ::accept(socket_.fd(), nullptr, nullptr);
            if (peer < 0) return;
            const std::string request = read(peer);
            const std::string reply = reply_to(request);
            if (::write(peer, reply.data(), reply.size()) < 0) std::abort();
            ::close(peer);
        }
    }
    static std::string read(int peer) {
        std::string request;
        std::size_t wanted = std::string::npos;
        while (request.size() < wanted) {
            char part[4096];
            const ssize_t got = ::read(peer, part, sizeof part);
            if (got <= 0) break;
            request.append(part, static_cast<std::size_t>(got));
            const std::size_t end = request.find("\r\n\r\n");
            if (end == std::string::npos || wanted != std::string::npos) continue;
            const std::size_t length = request.find("Content-Length: ");
            wanted = end + 4 + (length == std::string::npos ? 0 : std::stoul(request.substr(length + 16)));
        }
        return request;
    }
    std::string reply_to(const std::string& request) {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        const auto found = answers_.find(request.substr(0, request.find(" HTTP")));
        const Answer& answer = found == answers_.end() ? nothing_ : found->second;
        return fmt::format("HTTP/1.0 {} x\r\n{}Content-Length: {}\r\n\r\n{}", answer.status, answer.headers,
                           answer.body.size(), answer.body);
    }

    LoopbackSocket socket_{SOCK_STREAM};
    const std::string url_ = fmt::format("http://{}", socket_.address());
    std::mutex mutex_{};
    const Answer nothing_{404, "{}"};
    std::map<std::string, Answer> answers_{};
    std::vector<std::string> requests_{};
    std::thread thread_{};
};

}  // namespace hermesctl::testing
