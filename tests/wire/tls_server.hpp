// A scripted server in the test's own process: one thread a connection, exact bytes out, nothing of HTTP
// assumed.
#pragma once

#include "wire/certificates.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <openssl/ssl.h>

namespace hermesctl::testing {

/// One accepted connection, as its script sees it.
class Peer {
  public:
    Peer(int fd, SSL* ssl) : fd_{fd}, ssl_{ssl} {}

    /// The head and body of the next request; "" when the client is gone.
    std::string read_request();
    /// What has come, at least one byte; "" when the client is gone.
    std::string read_some();
    /// Exactly so many bytes, or fewer when the client is gone.
    std::string read_exactly(std::size_t count);
    void write(std::string_view bytes);
    /// Ends the connection with RST; what the client has not read is lost to it.
    void reset();
    /// Ends the connection with FIN only: no close_notify of TLS.
    void cut();
    std::string alpn() const;
    /// The common name in the client's certificate; "" without one.
    std::string client() const;
    int fd() const { return fd_; }

  private:
    std::string take(std::size_t count);

    int fd_;
    SSL* ssl_;  // null without TLS
    std::string rest_{};
};

struct ServerOptions {
    KeyPair certificate = test_authority().issue();
    std::string client_ca_pem{};  // a client certificate from it is demanded
    bool tls = true;
    int newest_tls = 0;      // as OpenSSL numbers it (TLS1_1_VERSION), with all that was weak then; 0: any
    int receive_buffer = 0;  // bytes; small: the client soon feels back-pressure
};

class ScriptedServer {
  public:
    using Script = std::function<void(Peer&)>;

    explicit ScriptedServer(Script, ServerOptions = {});
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    int port() const { return port_; }
    std::string url() const;
    /// Connections that were accepted (and finished their TLS handshake) so far.
    int connections() const { return connections_; }
    /// The most that were open at one time.
    int most_open() const { return most_open_; }

  private:
    void accept_all();
    void run(int fd);

    Script script_;
    ServerOptions options_;
    std::shared_ptr<SSL_CTX> context_{};
    int listener_ = -1;
    int port_ = 0;
    std::atomic<int> connections_{0};
    std::atomic<int> open_{0};
    std::atomic<int> most_open_{0};
    std::mutex mutex_{};
    std::vector<int> fds_{};
    std::list<std::thread> threads_{};
    std::thread acceptor_{};
};

/// A complete answer with Content-Length.
std::string http_answer(int status, std::string_view body, std::string_view extra_headers = {});
/// Answers each request of each connection, kept alive.
ScriptedServer::Script answering(std::function<std::string(const std::string& request)>);

}  // namespace hermesctl::testing
