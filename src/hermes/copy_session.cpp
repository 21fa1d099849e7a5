#include "hermes/copy_session.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/embedded.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t send_ahead = 256u << 10;
constexpr std::size_t longest_text = 64u << 10;

kube::ExecRequest request_of(const Target& target, bool root, const std::vector<std::string>& arguments) {
    kube::ExecRequest request = in_agent(
        target.ns, target.pod,
        command_as(target, root ? As::root : As::agent, python_command(embedded("copy.py"), arguments)));
    request.input = true;
    return request;
}

}  // namespace

Error failed(const std::filesystem::path& path, const std::string& why) {
    return {ExitCode::failed, fmt::format("{}: {}", path.string(), why)};
}

CopySession::CopySession(kube::Client& client, const Target& target, bool root,
                         const std::vector<std::string>& arguments)
    : transport_(client.transport()),
      pod_(target.pod),
      session_(client.transport(), client.clock(), request_of(target, root, arguments)) {}

bool CopySession::pump(const Take* take) {
    return session_.pump(
        {.out =
             [&](std::string_view bytes) {
                 if (take != nullptr) return (*take)(bytes);
                 append_up_to(longest_text, text_, bytes);
             },
         .err = [&](std::string_view bytes) { append_up_to(longest_text, complaint_, bytes); }});
}

void CopySession::rest() {
    const net::Wake wake = session_.wake();
    transport_.poll(1s, {&wake, 1});
}

bool CopySession::send(std::string_view bytes) {
    while (pump(nullptr)) {
        if (session_.queued() < send_ahead) {
            session_.write(bytes);
            return true;
        }
        rest();
    }
    return false;
}

void CopySession::receive(const Take& take, const std::function<bool()>& done) {
    while (pump(&take) && !done()) {
        rest();
    }
}

int CopySession::finish() {
    while (pump(nullptr)) {
        rest();
    }
    return session_.exit_code();
}

Error CopySession::failure(int code) const {
    std::string why = scrub(complaint_);
    while (why.ends_with('\n')) {
        why.pop_back();
    }
    if (why.empty()) why = fmt::format("the copy ended with exit code {}", code);
    return {ExitCode::failed, fmt::format("pod/{}: {}", pod_, why)};
}

}  // namespace hermesctl::hermes
