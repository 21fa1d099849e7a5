// What verify found out, as a whole: whether the cage holds, in one line, as JSON, for a CI and as a page.
#pragma once

#include "hermesctl/hermes/check.hpp"
#include "hermesctl/hermes/values.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

/// How much was looked at: all; without the twin; policies alone, without a packet.
enum class Scope { full, quick, computed };

struct Report {
    Scope scope = Scope::full;
    std::string context{};
    std::string server{};
    std::string ns{};
    std::string instance{};  // without a namespace: the file whose policies they are
    std::string pod{};       // "" if none runs
    std::string image{};
    std::string when{};  // RFC 3339, UTC
    Checks checks{};
    std::vector<std::string> open{};     // what the policies leave open, in words
    std::vector<std::string> allowed{};  // the same exactly: "TCP 80, 443 to 1.0.0.0/8, ..."
};

struct Counts {
    int passed = 0;
    int warned = 0;
    int failed = 0;
    int inconclusive = 0;
    int not_applicable = 0;
};

Counts count(const Checks&);
/// "23 passed, 2 not applicable"
std::string counts_text(const Counts&);

/// "PASS", "WARN", "FAIL", "INCONCLUSIVE", "NOT-APPLICABLE"
std::string_view word_of(Verdict);
/// Neither a pass nor without a meaning here: something to look at.
bool wants_attention(const Check&);

/// "hermes in namespace hermes, pod hermes-abc"; "policies.yaml"
std::string subject_text(const Report&);

/// Every decisive row passes or does not apply, and at least one passes.
bool passed(const Report&);
/// "the cage holds: 23 passed; open: ..."; "the cage LEAKS: ..."; "the agent is cut off: ..." where it does
/// not get to Telegram or the provider; "could not tell: ...".
std::string verdict_of(const Report&);

Json to_json(const Report&);
/// One test case a row.
std::string junit_of(const Report&);
/// One page that needs nothing else: no script, no font, no picture from elsewhere.
std::string html_of(const Report&);

}  // namespace hermesctl::hermes
