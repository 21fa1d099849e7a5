// The page in a browser: what it shows, on a phone too, and that nothing in it runs.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/report.hpp"
#include "support/sample_report.hpp"
#include "support/scratch.hpp"

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ReportPage : public ::testing::Test {
  protected:
    /// The page as the browser has it in the end; nothing when there is no browser.
    std::optional<std::string> opened(const std::string& html, int width) const {
        const std::string path = folder_.write("page.html", html);
        const auto result = run_process(
            {.argv = {"sh", "-c", "exec \"$@\" 2>/dev/null", "sh", "chromium-headless-shell", "--no-sandbox",
                      "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
                      "--user-data-dir=" + folder_.path("profile"),
                      "--window-size=" + std::to_string(width) + ",900", "--dump-dom", "file://" + path},
             .environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", folder_.path()}},
             .timeout = std::chrono::seconds{50}});
        if (!result || result->exit_code == 127) return std::nullopt;
        EXPECT_EQ(result->exit_code, 0);
        return result->output;
    }

    hermesctl::testing::Scratch folder_;
};

/// The page with a script that measures it; its own rule against scripts has to go for that.
std::string measured(std::string html) {
    const std::string rule = "default-src 'none'; style-src 'unsafe-inline'";
    html.replace(html.find(rule), rule.size(), "default-src 'unsafe-inline'");
    const std::string script =
        "<script>const wide = [...document.querySelectorAll('main *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1);"
        "const small = [...document.querySelectorAll('svg text')]"
        ".filter(e => e.getBoundingClientRect().height < 11);"
        "const past = [...document.querySelectorAll('svg .label')]"
        ".filter(e => e.getBBox().x + e.getBBox().width > 336);"
        "const d = document.documentElement;"
        "d.dataset.found = [innerWidth, d.scrollWidth, wide.length, small.length, past.length].join(' "
        "');</script>";
    html.replace(html.find("</body>"), 0, script);
    return html;
}

TEST_F(ReportPage, FitsAPhone) {
    Report report = hermesctl::testing::leaking_report();
    report.checks.back().evidence = std::string(300, 'x');  // no place for a break
    const auto page = opened(measured(html_of(report)), 375);
    if (!page) GTEST_SKIP() << "no chromium-headless-shell; scripts/packages --tests installs it";
    EXPECT_THAT(*page, HasSubstr("data-found=\"375 375 0 0 0\"")) << page->substr(0, 200);
}

TEST_F(ReportPage, ShowsTheVerdictTheRowsAndThePicture) {
    const auto page = opened(html_of(hermesctl::testing::leaking_report()), 1200);
    if (!page) GTEST_SKIP() << "no chromium-headless-shell; scripts/packages --tests installs it";
    EXPECT_THAT(*page, AllOf(HasSubstr("<h1>The cage LEAKS</h1>"), HasSubstr("the LAN is out of reach"),
                             HasSubstr("docs/checks.md#live-lan"), HasSubstr("the local network: reached"),
                             HasSubstr("any public host on TCP 443 and 80")));
}

TEST_F(ReportPage, RunsNothingThatAnAgentWrote) {
    const auto page = opened(html_of(hermesctl::testing::hostile_report()), 1200);
    if (!page) GTEST_SKIP() << "no chromium-headless-shell; scripts/packages --tests installs it";
    EXPECT_THAT(*page, AllOf(HasSubstr("&lt;script&gt;document.title="), Not(HasSubstr("<script")),
                             Not(HasSubstr("<img")), Not(HasSubstr("<title>owned"))));
}

}  // namespace
}  // namespace hermesctl::hermes
