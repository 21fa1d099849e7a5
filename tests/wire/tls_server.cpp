// Blocking sockets and OpenSSL; every read has a time limit, so that a broken test ends.
#include "wire/tls_server.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hermesctl::testing {
namespace {

template <typename Object>
std::shared_ptr<Object> from_pem(const std::string& text,
                                 Object* (*read)(BIO*, Object**, pem_password_cb*, void*),
                                 void (*release)(Object*)) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                  &BIO_free};
    return {read(bio.get(), nullptr, nullptr, nullptr), release};
}

/// Offers h2 as well, and prefers it, as the API server does.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned in_size, void*) {
    static constexpr std::string_view ours{"\x02h2\x08http/1.1", 12};
    auto* chosen = const_cast<unsigned char**>(out);
    const auto* offer = reinterpret_cast<const unsigned char*>(ours.data());
    int result = SSL_select_next_proto(chosen, size, offer, static_cast<unsigned>(ours.size()), in, in_size);
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

std::shared_ptr<SSL_CTX> make_context(const ServerOptions& options) {
    std::shared_ptr<SSL_CTX> context{SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
    auto certificate = from_pem<X509>(options.certificate.certificate_pem, &PEM_read_bio_X509, &X509_free);
    auto key = from_pem<EVP_PKEY>(options.certificate.key_pem, &PEM_read_bio_PrivateKey, &EVP_PKEY_free);
    SSL_CTX_use_certificate(context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
    if (options.newest_tls != 0) {
        SSL_CTX_set_security_level(context.get(), 0);
        SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context.get(), options.newest_tls);
    }
    SSL_CTX_set_alpn_select_cb(context.get(), &choose_protocol, nullptr);
    if (!options.client_ca_pem.empty()) {
        auto authority = from_pem<X509>(options.client_ca_pem, &PEM_read_bio_X509, &X509_free);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.get());
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    return context;
}

}  // namespace

std::string Peer::read_some() {
    if (!rest_.empty()) return std::exchange(rest_, {});
    std::array<char, 65536> piece{};
    auto count = ssl_ != nullptr ? SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()))
                                 : static_cast<int>(::recv(fd_, piece.data(), piece.size(), 0));
    return count > 0 ? std::string{piece.data(), static_cast<std::size_t>(count)} : "";
}

std::string Peer::take(std::size_t count) {
    auto taken = rest_.substr(0, count);
    rest_.erase(0, taken.size());
    return taken;
}

std::string Peer::read_exactly(std::size_t count) {
    std::string all;
    while (all.size() < count) {
        auto piece = read_some();
        if (piece.empty()) break;
        auto wanted = std::min(piece.size(), count - all.size());
        all.append(piece, 0, wanted);
        rest_ = piece.substr(wanted);
    }
    return all;
}

std::string Peer::read_request() {
    std::string all;
    std::size_t head_end = 0;
    while ((head_end = all.find("\r\n\r\n")) == std::string::npos) {
        auto piece = read_some();
        if (piece.empty()) return "";
        all += piece;
    }
    rest_ = all.substr(head_end + 4);
    all.resize(head_end + 4);
    std::size_t length = 0;
    if (auto at = all.find("Content-Length: "); at != std::string::npos) {
        std::from_chars(all.data() + at + 16, all.data() + all.size(), length);
    }
    return all + (length > 0 ? read_exactly(length) : "");
}

void Peer::write(std::string_view bytes) {
    while (!bytes.empty()) {
        auto count = ssl_ != nullptr
                         ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                         : static_cast<int>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
        if (count <= 0) return;  // the client is gone; what that means is for the test to say
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void Peer::reset() {
    linger hard{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    cut();
}

void Peer::cut() {
    if (ssl_ != nullptr) SSL_set_quiet_shutdown(ssl_, 1);
    ssl_ = nullptr;
    linger set{};
    socklen_t size = sizeof set;
    getsockopt(fd_, SOL_SOCKET, SO_LINGER, &set, &size);
    if (set.l_onoff == 0) ::shutdown(fd_, SHUT_WR);
}

std::string Peer::client() const {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl_),
                                                                  &X509_free);
    if (!certificate) return "";
    std::array<char, 64> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    return name.data();
}

std::string Peer::alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

ScriptedServer::ScriptedServer(Script script, ServerOptions options)
    : script_{std::move(script)}, options_{std::move(options)} {
    std::signal(SIGPIPE, SIG_IGN);
    if (options_.tls) context_ = make_context(options_);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (options_.receive_buffer > 0) {
        setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer, sizeof(int));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
        throw std::runtime_error{"no port to listen on"};
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
}

ScriptedServer::~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
        std::lock_guard lock{mutex_};
        for (int fd : fds_)
            ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_)
        thread.join();
    ::close(listener_);
}

std::string ScriptedServer::url() const {
    return fmt::format("{}://127.0.0.1:{}", options_.tls ? "https" : "http", port_);
}

void ScriptedServer::accept_all() {
    for (;;) {
        int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        timeval limit{20, 0};
        int at_once = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        std::lock_guard lock{mutex_};
        fds_.push_back(fd);
        threads_.emplace_back([this, fd] { run(fd); });
    }
}

void ScriptedServer::run(int fd) {
    int open = ++open_;
    for (int most = most_open_; open > most && !most_open_.compare_exchange_weak(most, open);) {
    }
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl{options_.tls ? SSL_new(context_.get()) : nullptr,
                                                  &SSL_free};
    bool ready = true;
    if (ssl) {
        SSL_set_fd(ssl.get(), fd);
        ready = SSL_accept(ssl.get()) == 1;
    }
    if (ready) {
        ++connections_;
        Peer peer{fd, ssl.get()};
        script_(peer);
        if (ssl && SSL_get_quiet_shutdown(ssl.get()) == 0) SSL_shutdown(ssl.get());
    } else {
        ::shutdown(fd, SHUT_WR);  // closing over unread bytes would be a RST, and overtake the alert
        for (char rest[4096]; ::recv(fd, rest, sizeof rest, 0) > 0;) {
        }
    }
    --open_;
    std::lock_guard lock{mutex_};
    std::erase(fds_, fd);
    ::close(fd);
}

std::string http_answer(int status, std::string_view body, std::string_view extra_headers) {
    return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), extra_headers,
                       body);
}

ScriptedServer::Script answering(std::function<std::string(const std::string&)> answer) {
    return [answer](Peer& peer) {
        for (auto request = peer.read_request(); !request.empty(); request = peer.read_request()) {
            peer.write(answer(request));
        }
    };
}

}  // namespace hermesctl::testing
