// One row of verify's report: what was looked at, what it showed, and what to do about it.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace hermesctl::hermes {

/// "Could not tell" is a verdict of its own, never a pass.
enum class Verdict { pass, warn, fail, inconclusive, not_applicable };

/// The worst is the heaviest.
inline int weight(Verdict verdict) {
    constexpr std::array<int, 5> weights{1, 2, 4, 3, 0};  // pass, warn, fail, inconclusive, not applicable
    return weights[static_cast<std::size_t>(verdict)];
}

struct Check {
    std::string id{};     // a heading of docs/checks.md: "policy-leaks"
    std::string group{};  // identity, host, policy, live, agent
    std::string title{};
    Verdict verdict = Verdict::inconclusive;
    std::string evidence{};  // what was seen; never a secret
    std::string hint{};      // the command to type, or what to change
    bool decisive = true;    // without its pass (or it not applying) verify fails
};

using Checks = std::vector<Check>;

}  // namespace hermesctl::hermes
