// Credential plugins (client-go plugin/pkg/client/auth/exec): a program that prints an ExecCredential.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/kube/object.hpp"
#include "hermesctl/net/curl.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace hermesctl::kube {

struct ExecPlugin {
    std::string title{};  // `user "admin" in /home/me/.kube/config`
    Json spec{};          // the user's `exec`, checked
    Json cluster{};       // for provideClusterInfo; null otherwise
    bool terminal = false;
    std::chrono::milliseconds timeout{600'000};  // shorter than the usual patience: this counts
};

class ExecCredential {
  public:
    ExecCredential(ExecPlugin, const Environment&, Clock&);

    /// Runs the plugin when there is nothing yet, it has expired, or the server rejected it. Throws
    /// Error{denied}.
    net::Credentials get(bool rejected);

  private:
    bool interactive() const;
    Environment plugin_environment() const;
    std::string run() const;
    void take(const std::string& output);
    [[noreturn]] void refuse(std::string_view why, const std::string& hint = {}) const;

    ExecPlugin plugin_;
    const Environment& environment_;
    Clock& clock_;
    std::optional<net::Credentials> cached_{};
    std::optional<Clock::Wall> expires_{};
};

/// Text from a kubeconfig that goes to a terminal: without escape sequences and control characters.
std::string without_control_sequences(std::string_view text);

}  // namespace hermesctl::kube
