// Finding, starting and ending the programs.
#include "apiserver/api_server.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/process.hpp"
#include "support/answers.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hermesctl::testing {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<ApiServer> the_server;
std::string no_server;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// $HERMESCTL_TEST_KUBE_BIN/kube-apiserver, else the newest build of the test node's.
std::string find_kube() {
    const std::string folder = environment("HERMESCTL_TEST_KUBE_BIN");
    if (!folder.empty()) return fs::exists(folder + "/kube-apiserver") ? folder + "/kube-apiserver" : "";
    std::string cache = environment("XDG_CACHE_HOME");
    if (cache.empty()) cache = environment("HOME") + "/.cache";
    fs::path newest;
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(cache + "/hermesctl/node/bin", none)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with("kube-") || name.starts_with("kube-router")) continue;
        if (newest.empty() || entry.last_write_time() > fs::last_write_time(newest)) newest = entry.path();
    }
    return newest;
}

std::string find_etcd() {
    for (const char* path : {"/usr/bin/etcd", "/usr/local/bin/etcd"}) {
        if (fs::exists(path)) return path;
    }
    return "";
}

int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(socket, reinterpret_cast<sockaddr*>(&address), size);
    getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    close(socket);
    return ntohs(address.sin_port);
}

void openssl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const auto result = run_process({.argv = arguments, .environment = {{"PATH", environment("PATH")}}});
    if (!result || result->exit_code != 0) throw std::runtime_error("openssl " + arguments[1] + " failed");
}

void write_file(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
}

void end_process(pid_t& pid) {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    pid = 0;
}

}  // namespace

ApiServer* ApiServer::instance() {
    if (the_server || !no_server.empty()) return the_server.get();
    const std::string kube = find_kube();
    const std::string etcd = find_etcd();
    if (kube.empty()) {
        no_server =
            "no kube-apiserver: build the test node's programs (tests/node/node up) or name a folder with "
            "one in HERMESCTL_TEST_KUBE_BIN";
    } else if (etcd.empty()) {
        no_server = "no etcd: install Debian's etcd-server";
    } else {
        the_server.reset(new ApiServer(kube, etcd));
    }
    return the_server.get();
}

const std::string& ApiServer::why_not() {
    return no_server;
}

void ApiServer::end() {
    the_server.reset();
}

ApiServer::ApiServer(std::string kube, std::string etcd) : kube_(std::move(kube)), etcd_(std::move(etcd)) {
    std::string directory = (fs::temp_directory_path() / "hermesctl-apiserver-XXXXXX").string();
    if (mkdtemp(directory.data()) == nullptr) throw std::runtime_error("cannot make a directory");
    directory_ = directory;
    make_credentials();
    etcd_port_ = free_port();
    port_ = free_port();
    const std::string etcd_url = fmt::format("http://127.0.0.1:{}", etcd_port_);
    etcd_pid_ = run("etcd", {etcd_, "--data-dir", file("etcd"), "--listen-client-urls", etcd_url,
                             "--advertise-client-urls", etcd_url, "--listen-peer-urls",
                             fmt::format("http://127.0.0.1:{}", free_port()), "--unsafe-no-fsync"});
    start();
}

ApiServer::~ApiServer() {
    end_process(pid_);
    end_process(etcd_pid_);
    std::error_code none;
    fs::remove_all(directory_, none);
}

void ApiServer::make_credentials() {
    token_ = hex(random_bytes(16));
    write_file(file("tokens.csv"), token_ + ",nobody,1\n");
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
             file("ca.key"), "-out", file("ca.crt"), "-subj", "/CN=test-ca", "-days", "2"});
    const auto issue = [&](const std::string& name, const std::string& subject,
                           const std::string& extensions) {
        write_file(file(name + ".ext"), extensions);
        openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                 file(name + ".key"), "-out", file(name + ".csr"), "-subj", subject});
        openssl({"x509", "-req", "-in", file(name + ".csr"), "-CA", file("ca.crt"), "-CAkey", file("ca.key"),
                 "-CAcreateserial", "-out", file(name + ".crt"), "-days", "2", "-extfile",
                 file(name + ".ext")});
    };
    issue("server", "/CN=kube-apiserver", "extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1\n");
    issue("admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth\n");
    openssl({"genrsa", "-out", file("accounts.key"), "2048"});
}

void ApiServer::start() {
    std::vector<std::string> argv{kube_};
    if (!kube_.ends_with("/kube-apiserver")) argv.push_back("kube-apiserver");  // several programs in one
    for (const std::string& flag :
         {fmt::format("--etcd-servers=http://127.0.0.1:{}", etcd_port_),
          fmt::format("--secure-port={}", port_), std::string("--bind-address=127.0.0.1"),
          "--tls-cert-file=" + file("server.crt"), "--tls-private-key-file=" + file("server.key"),
          "--client-ca-file=" + file("ca.crt"), "--token-auth-file=" + file("tokens.csv"),
          std::string("--service-account-issuer=https://kubernetes.default.svc"),
          "--service-account-key-file=" + file("accounts.key"),
          "--service-account-signing-key-file=" + file("accounts.key"),
          std::string("--service-cluster-ip-range=10.43.0.0/16"), std::string("--authorization-mode=RBAC"),
          // Watches of ConfigMaps come straight from etcd, so that a compaction there shows at once.
          std::string("--watch-cache-sizes=configmaps#0"), "--cert-dir=" + file("certificates")}) {
        argv.push_back(flag);
    }
    pid_ = run("apiserver", argv);
    const auto transport = net::make_curl_transport(admin(), system_clock());
    for (int tries = 0; tries < 600; ++tries) {
        if (net::send(*transport, {.target = "/readyz"}).status == 200) return;
        if (waitpid(pid_, nullptr, WNOHANG) != 0) break;
        system_clock().sleep(std::chrono::milliseconds(200));
    }
    const std::string log = contents("apiserver.log");
    throw std::runtime_error("kube-apiserver did not start: " +
                             log.substr(log.size() - std::min<std::size_t>(log.size(), 2000)));
}

void ApiServer::kill() {
    end_process(pid_);
}

pid_t ApiServer::run(const std::string& name, std::vector<std::string> argv) const {
    const std::string log = file(name + ".log");
    std::vector<char*> pointers;
    for (std::string& argument : argv) {
        pointers.push_back(argument.data());
    }
    pointers.push_back(nullptr);
    const pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing stays when the test program is killed
    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv(pointers[0], pointers.data());
    _exit(127);
}

std::string ApiServer::contents(const std::string& name) const {
    return read_file(file(name)).value_or("");
}

std::string ApiServer::url() const {
    return fmt::format("https://127.0.0.1:{}", port_);
}

net::Endpoint ApiServer::admin() const {
    net::Credentials credentials{.certificate_pem = contents("admin.crt"), .key_pem = contents("admin.key")};
    return {.url = url(), .ca_pem = contents("ca.crt"), .credentials = [credentials](bool) {
                return credentials;
            }};
}

net::Endpoint ApiServer::nobody() const {
    net::Credentials credentials{.token = token_};
    return {.url = url(), .ca_pem = contents("ca.crt"), .credentials = [credentials](bool) {
                return credentials;
            }};
}

void ApiServer::compact(const std::string& version) const {
    const net::Endpoint etcd{.url = fmt::format("http://127.0.0.1:{}", etcd_port_)};
    const auto transport = net::make_curl_transport(etcd, system_clock());
    const net::Response answer =
        net::send(*transport, {.method = "POST",
                               .target = "/v3/kv/compaction",
                               .headers = {{"Content-Type", "application/json"}},
                               .body = fmt::format(R"({{"revision":"{}","physical":true}})", version)});
    if (!answer.ok()) throw std::runtime_error("etcd refused to compact: " + answer.body + answer.failure);
}

}  // namespace hermesctl::testing
