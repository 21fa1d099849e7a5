// The conversation with copy.py.
#pragma once

#include "hermesctl/hermes/copy.hpp"
#include "hermesctl/kube/exec.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

inline constexpr int already_there = 4;

/// What is wrong with a file here.
Error failed(const std::filesystem::path&, const std::string& why);

class CopySession {
  public:
    using Take = std::function<void(std::string_view)>;
    CopySession(kube::Client&, const Target&, bool root, const std::vector<std::string>& arguments);

    /// Sends, but no faster than the connection takes it; false when the other side has ended.
    bool send(std::string_view bytes);
    /// Hands over what comes until `done` says so or the other side ends.
    void receive(const Take& take, const std::function<bool()>& done);
    /// Until its end: the exit code. Its output is in text().
    int finish();
    const std::string& text() const { return text_; }
    /// What it said of its failure.
    Error failure(int code) const;

  private:
    bool pump(const Take* take);
    void rest();

    net::Transport& transport_;
    std::string pod_;
    kube::ExecSession session_;
    std::string text_{};
    std::string complaint_{};
};

}  // namespace hermesctl::hermes
