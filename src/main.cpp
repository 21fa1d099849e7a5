// Builds the real world, runs the command line, returns its exit code.
#include "hermesctl/base/input.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/cli/cli.hpp"
#include "hermesctl/net/curl.hpp"
#include "hermesctl/net/resolve.hpp"

#include <exception>
#include <iostream>

#include <fcntl.h>
#include <unistd.h>

namespace {

hermesctl::Environment read_environment() {
    hermesctl::Environment environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view line(*entry);
        const std::size_t sign = line.find('=');
        if (sign == std::string_view::npos) continue;
        environment.emplace(line.substr(0, sign), line.substr(sign + 1));
    }
    return environment;
}

/// A standard stream that is closed stays useless: else the next socket would take its number, and its bytes.
void occupy_standard_streams() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(fd, F_GETFD) != -1) continue;
        [[maybe_unused]] const int taken = ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int hermesctl_main(int argc, char** argv) {
    using namespace hermesctl;
    occupy_standard_streams();
    std::ios::sync_with_stdio(false);
    catch_interrupts();
    DescriptorInput standard_input(STDIN_FILENO);
    std::istream in(&standard_input);
    cli::Context context{
        .connect = [](const net::Endpoint& endpoint,
                      Clock& clock) { return net::make_curl_transport(endpoint, clock); },
        .clock = system_clock(),
        .out = std::cout,
        .err = std::cerr,
        .in = in,
        .environment = read_environment(),
        .detect_terminal = {},
        .version = HERMESCTL_VERSION,
        .commit = HERMESCTL_COMMIT,
        .resolve = net::addresses_of,
    };
    context.detect_terminal = [&context](bool no_colour) {
        return term::detect(context.environment, no_colour);
    };
    return static_cast<int>(cli::run(argc, argv, context));
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return hermesctl_main(argc, argv);
    } catch (const std::exception& bug) {
        std::cerr << "error: this is a bug in hermesctl: " << bug.what() << '\n';
        return 1;
    }
}
