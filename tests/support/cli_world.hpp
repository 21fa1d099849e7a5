// The outside world of one command line: a fake cluster, a fake clock, streams and a terminal of one's
// choice.
#pragma once

#include "hermesctl/cli/cli.hpp"
#include "support/fake_api.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

namespace hermesctl::testing {

/// The test's transport, lent to a command.
class LentTransport : public net::Transport {
  public:
    explicit LentTransport(net::Transport& real) : real_(real) {}
    Ticket start(net::Request request, net::Handler handler) override {
        return real_.start(std::move(request), std::move(handler));
    }
    void cancel(Ticket ticket) override { real_.cancel(ticket); }
    void poll(std::chrono::milliseconds at_most, std::span<const net::Wake> wakes) override {
        real_.poll(at_most, wakes);
    }
    net::Upgrade upgrade(net::Request request, std::span<const std::string> protocols) override {
        return real_.upgrade(std::move(request), protocols);
    }

  private:
    net::Transport& real_;
};

class CliWorld {
  public:
    CliWorld() {
        const std::string name = "hermesctl-cli-test-" + std::to_string(::getpid());
        kubeconfig_ = std::filesystem::temp_directory_path() / name;
        std::ofstream(kubeconfig_)
            << "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
               "clusters: [{name: k, cluster: {server: \"https://k8s.example:6443\"}}]\n"
               "users: [{name: u, user: {token: t}}]\n"
               "contexts: [{name: c, context: {cluster: k, user: u}}]\n";
        context.environment = {{"KUBECONFIG", kubeconfig_.string()}, {"HOME", "/nonexistent"}};
        context.connect = [this](const net::Endpoint& endpoint, Clock&) {
            connected_to = endpoint.url;
            return std::make_unique<LentTransport>(transport);
        };
        context.detect_terminal = [this](bool) { return terminal; };
    }
    ~CliWorld() { std::filesystem::remove(kubeconfig_); }
    CliWorld(const CliWorld&) = delete;
    CliWorld& operator=(const CliWorld&) = delete;

    ExitCode run(const std::vector<std::string>& arguments) {
        out.str("");
        err.str("");
        std::vector<const char*> argv{"hermesctl"};
        for (const std::string& argument : arguments) {
            argv.push_back(argument.c_str());
        }
        return cli::run(static_cast<int>(argv.size()), argv.data(), context);
    }

    FakeClock clock{};
    FakeTransport transport{clock};
    FakeApi api{transport};
    term::Terminal terminal{};
    std::ostringstream out{};
    std::ostringstream err{};
    std::istringstream in{};
    std::string connected_to{};
    cli::Context context{
        .clock = clock, .out = out, .err = err, .in = in, .version = "1.2.3", .commit = "abc1234"};

  private:
    std::filesystem::path kubeconfig_{};
};

}  // namespace hermesctl::testing
