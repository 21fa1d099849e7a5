// A real kube-apiserver on a real etcd, without controllers and nodes: started when a test first asks for it,
// one for the whole program, with its own directory, certificates, tokens and ports. Ended, and its directory
// removed, at the program's end.
#pragma once

#include "hermesctl/net/curl.hpp"

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace hermesctl::testing {

class ApiServer {
  public:
    /// Null where it cannot be started; `why_not()` says the reason.
    static ApiServer* instance();
    static const std::string& why_not();
    static void end();

    ~ApiServer();
    ApiServer(const ApiServer&) = delete;
    ApiServer& operator=(const ApiServer&) = delete;

    /// The cluster's administrator, by client certificate.
    net::Endpoint admin() const;
    /// A user without any rights, by token.
    net::Endpoint nobody() const;

    /// SIGKILL, as when a machine loses power.
    void kill();
    /// Starts it (again) on the same port and waits until it is ready.
    void start();
    /// Makes etcd forget all versions before `version`.
    void compact(const std::string& version) const;

  private:
    ApiServer(std::string kube, std::string etcd);
    void make_credentials();
    std::string url() const;
    std::string file(const std::string& name) const { return directory_ + "/" + name; }
    std::string contents(const std::string& name) const;
    pid_t run(const std::string& name, std::vector<std::string> argv) const;

    std::string kube_;
    std::string etcd_;
    std::string directory_;
    std::string token_;
    int port_ = 0;
    int etcd_port_ = 0;
    pid_t etcd_pid_ = 0;
    pid_t pid_ = 0;
};

}  // namespace hermesctl::testing
