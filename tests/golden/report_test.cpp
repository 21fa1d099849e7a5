// The isolation report as people, programs and CI systems get it.
#include "../../src/cli/report_text.hpp"
#include "support/golden.hpp"
#include "support/sample_report.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using hermesctl::testing::expect_golden;
using hermesctl::testing::leaking_report;
using hermesctl::testing::sample_report;
using hermesctl::testing::wordy_rows;

std::string shown(const term::Terminal& terminal) {
    return report_text(sample_report(), terminal) + "\n== a leak\n" +
           report_text(leaking_report(), terminal) + "\n== caveats\n" + rows_text(wordy_rows(), terminal);
}

TEST(ReportGolden, Text) {
    for (const int width : {40, 80, 120}) {
        const term::Terminal terminal{.out_is_terminal = true, .width = width};
        expect_golden(fmt::format("report/{}.txt", width), shown(terminal));
    }
    expect_golden("report/40-ascii.txt", shown({.out_is_terminal = true, .unicode = false, .width = 40}));
    expect_golden("report/80-colour.txt", shown({.out_is_terminal = true, .out_colour = true, .width = 80}));
    expect_golden("report/pipe.txt", shown({.out_is_terminal = false, .width = 40}));
}

TEST(ReportGolden, ForPrograms) {
    expect_golden("report/report.json", to_json(leaking_report()).dump(2) + "\n");
    expect_golden("report/junit.xml", junit_of(leaking_report()));
    expect_golden("report/page.html", html_of(leaking_report()));
}

}  // namespace
}  // namespace hermesctl::cli
