// The report as JUnit XML, as CI systems read it: a row is a test case.
#include "hermesctl/hermes/report.hpp"
#include "markup.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

struct Tally {
    int failures = 0;
    int errors = 0;
    int skipped = 0;
};

enum class Outcome { success, failure, error, skipped, remark };

/// What makes verify fail makes the CI fail, too.
Outcome outcome_of(const Check& check) {
    switch (check.verdict) {
        case Verdict::pass:
            return Outcome::success;
        case Verdict::fail:
            return Outcome::failure;
        case Verdict::not_applicable:
            return Outcome::skipped;
        case Verdict::inconclusive:
            return check.decisive ? Outcome::error : Outcome::remark;
        case Verdict::warn:
            break;
    }
    return check.decisive ? Outcome::failure : Outcome::remark;
}

std::string seen_of(const Check& check) {
    return check.evidence + (check.hint.empty() ? "" : "\nnext: " + check.hint);
}

std::string details_of(const Check& check) {
    return seen_of(check) + "\ndocs/checks.md#" + check.id;
}

std::string content_of(const Check& check) {
    const std::string message = escaped(check.evidence);
    const auto problem = [&](std::string_view element) {
        return fmt::format("      <{0} message=\"{1}\" type=\"{2}\">{3}</{0}>\n", element, message,
                           word_of(check.verdict), escaped(details_of(check)));
    };
    switch (outcome_of(check)) {
        case Outcome::failure:
            return problem("failure");
        case Outcome::error:
            return problem("error");
        case Outcome::skipped:
            return fmt::format("      <skipped message=\"{}\"/>\n", message);
        case Outcome::remark:
            return fmt::format("      <system-out>{}: {}</system-out>\n", word_of(check.verdict),
                               escaped(details_of(check)));
        case Outcome::success:
            break;
    }
    return fmt::format("      <system-out>{}</system-out>\n", escaped(seen_of(check)));
}

std::string case_of(const Check& check) {
    return fmt::format(
        "    <testcase classname=\"verify.{}\" name=\"{}: {}\" time=\"0\">\n{}    </testcase>\n",
        escaped(check.group), escaped(check.id), escaped(check.title), content_of(check));
}

Tally tally_of(const Checks& checks) {
    Tally tally;
    for (const Check& check : checks) {
        const Outcome outcome = outcome_of(check);
        tally.failures += outcome == Outcome::failure ? 1 : 0;
        tally.errors += outcome == Outcome::error ? 1 : 0;
        tally.skipped += outcome == Outcome::skipped ? 1 : 0;
    }
    return tally;
}

std::string property(std::string_view name, std::string_view value) {
    return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, escaped(value));
}

}  // namespace

std::string junit_of(const Report& report) {
    const Tally tally = tally_of(report.checks);
    const std::string totals =
        fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\"",
                    report.checks.size(), tally.failures, tally.errors, tally.skipped);
    const std::string instance = escaped(report.ns + (report.ns.empty() ? "" : "/") + report.instance);
    // Some readers take no fraction of a second and no zone.
    const std::string when = escaped(report.when.substr(0, 19));
    std::string out = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"hermesctl verify\" {}>\n"
        "  <testsuite name=\"hermesctl verify {}\" {} timestamp=\"{}\">\n    <properties>\n",
        totals, instance, totals, when);
    out += property("verdict", verdict_of(report)) + property("server", report.server) +
           property("pod", report.pod) + property("image", report.image) + "    </properties>\n";
    for (const Check& check : report.checks)
        out += case_of(check);
    return out + "  </testsuite>\n</testsuites>\n";
}

}  // namespace hermesctl::hermes
