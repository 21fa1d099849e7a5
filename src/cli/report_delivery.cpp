#include "report_delivery.hpp"

#include "hermesctl/base/file.hpp"
#include "report_text.hpp"

#include <optional>

namespace hermesctl::cli {

ExitCode deliver(Session& session, const hermes::Report& report, const ReportFiles& files) {
    std::optional<Error> failure;
    const auto write = [&](const std::string& path, const std::string& text) {
        try {
            write_file(path, text);
            session.story().on({"report", path, State::done, "written"});
        } catch (const Error& error) {
            if (!failure) failure = error;
        }
    };
    if (!files.junit.empty()) write(files.junit, hermes::junit_of(report));
    if (!files.page.empty()) write(files.page, hermes::html_of(report));
    const std::string text = report_text(report, session.terminal());
    if (failure) {
        session.print_partial(to_json(report), text);
        throw Error(*failure);
    }
    session.print_exact(to_json(report), text);
    return hermes::passed(report) ? ExitCode::ok : ExitCode::failed;
}

}  // namespace hermesctl::cli
