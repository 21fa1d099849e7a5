// The channels of pods/exec over one WebSocket. One message is one frame: the server takes the first byte of
// each frame for a channel, so nothing may be fragmented.
#include "hermesctl/kube/exec.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/net/retry.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

enum Channel : char { stdin_channel = 0, stdout_channel, stderr_channel, status_channel, resize_channel };

constexpr std::string_view v5 = "v5.channel.k8s.io";
constexpr std::chrono::seconds longest_handshake{10};
constexpr std::size_t largest_frame = 32u << 10;
constexpr std::size_t one_round = 64u << 10;

std::string target_of(const ExecRequest& request) {
    std::string target = object_path({"Pod", request.ns, request.pod}) + "/exec?";
    if (!request.container.empty()) target += "container=" + net::percent_encode(request.container) + "&";
    for (const std::string& argument : request.argv) {
        target += "command=" + net::percent_encode(argument) + "&";
    }
    // With a terminal the two outputs are one, and asking for both is an error.
    return target +
           fmt::format("stdin={}&stdout=true&stderr={}&tty={}", request.input, !request.tty, request.tty);
}

net::Request upgrade_of(const ExecRequest& request) {
    return {.target = target_of(request), .timeout = longest_handshake};
}

const std::array<std::string, 2>& protocols() {
    static const std::array<std::string, 2> offered{std::string(v5), "v4.channel.k8s.io"};
    return offered;
}

std::string frame(Channel channel, std::string_view payload) {
    std::string message(1, channel);
    return message += payload;
}

/// The exit code that a Status carries; nothing when the command did not run to an end.
std::optional<int> exit_code_of(const Json& status) {
    if (text_at(status, "/status") == "Success") return 0;
    if (text_at(status, "/reason") != "NonZeroExitCode") return std::nullopt;
    for (const Json& cause : at(status, "/details/causes")) {
        if (text_at(cause, "/reason") != "ExitCode") continue;
        const std::string text = text_at(cause, "/message");
        int code = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), code).ec == std::errc{}) return code;
    }
    return std::nullopt;
}

/// `error sending request: Post "https://...": dial tcp ...`: the URL holds the whole command, a script too.
std::string without_url(std::string why) {
    const std::size_t begin = why.find("Post \"");
    const std::size_t end = begin == std::string::npos ? begin : why.find("\": ", begin);
    return end == std::string::npos ? why : why.erase(begin, end + 3 - begin);
}

}  // namespace

struct ExecSession::State {
    std::unique_ptr<net::WebSocket> socket{};
    bool input = false;
    bool tty = false;
    std::string pod{};
    Json status{};  // the command's end; null before
    bool over = false;
    bool more = false;  // pump() has left something

    void take(std::string_view message, const ExecSink& sink);
    bool takes_input() const { return input && !over && status.is_null() && !socket->closed(); }
};

/// The first message of a session is empty: it says that the connection is up, not that output ended.
void ExecSession::State::take(std::string_view message, const ExecSink& sink) {
    if (message.size() < 2) return;
    const std::string_view payload = message.substr(1);
    if (message[0] == stdout_channel && sink.out) sink.out(payload);
    if (message[0] == stderr_channel && sink.err) sink.err(payload);
    if (message[0] != status_channel) return;
    status = Json::parse(payload, nullptr, false);
    if (!status.is_object()) status = {{"message", std::string(payload.substr(0, 300))}};
}

ExecSession::ExecSession(net::Transport& transport, const ExecRequest& request)
    : ExecSession(request, transport.upgrade(upgrade_of(request), protocols())) {}

ExecSession::ExecSession(net::Transport& transport, Clock& clock, const ExecRequest& request, Clock::Time end)
    : ExecSession(request, net::upgrade_retrying(transport, clock, upgrade_of(request), protocols(), end)) {}

ExecSession::ExecSession(const ExecRequest& request, net::Upgrade upgrade)
    : state_(std::make_unique<State>()) {
    if (!upgrade.socket) throw ApiError(upgrade.answer, "running a command in pod/" + request.pod);
    state_->socket = std::move(upgrade.socket);
    state_->input = request.input;
    state_->tty = request.tty;
    state_->pod = request.pod;
}

ExecSession::~ExecSession() = default;

void ExecSession::write(std::string_view input) {
    while (!input.empty() && state_->takes_input()) {
        const std::string_view part = input.substr(0, largest_frame - 1);
        state_->socket->send(frame(stdin_channel, part));
        input.remove_prefix(part.size());
    }
}

bool ExecSession::can_close_input() const {
    return state_->socket->protocol() == v5;
}

void ExecSession::close_input() {
    if (!can_close_input()) {
        throw Error(ExitCode::failed,
                    "this cluster cannot signal the end of input to a command (it is older than "
                    "Kubernetes 1.30)");
    }
    if (!state_->takes_input()) return;
    state_->input = false;
    state_->socket->send(std::string{'\xff', stdin_channel});
}

/// Never without a terminal: nobody on the server would read it, and the session would stand still.
void ExecSession::resize(int columns, int rows) {
    if (!state_->tty || state_->over || !state_->status.is_null()) return;
    state_->socket->send(frame(resize_channel, Json{{"Width", columns}, {"Height", rows}}.dump()));
}

std::size_t ExecSession::queued() const {
    return state_->socket->queued();
}

/// A network is faster than who reads: without a limit an endless output would keep the caller from its
/// input, from its clock and from an interrupt.
bool ExecSession::pump(const ExecSink& sink) {
    for (std::size_t taken = 0; !state_->over && taken < one_round;) {
        const std::optional<std::string> message = state_->socket->receive();
        state_->more = message.has_value();
        if (message) {
            state_->take(*message, sink);
            taken += message->size() + 1;  // an empty one is work too
            continue;
        }
        // The Status is the last message. What the connection does after it, a reset too, means nothing.
        state_->over = !state_->status.is_null() || state_->socket->closed();
        break;
    }
    return !state_->over;
}

net::Wake ExecSession::wake() const {
    return {state_->socket->fd(), state_->socket->queued() > 0, state_->more};
}

int ExecSession::exit_code() const {
    if (const std::optional<int> code = exit_code_of(state_->status)) return *code;
    std::string why = without_url(text_at(state_->status, "/message", "the command did not run"));
    if (state_->status.is_null()) {
        const std::string& failure = state_->socket->failure();
        why = "the connection was lost before the command's end was known";
        if (!failure.empty()) why += ": " + failure;
    }
    throw Error(ExitCode::exec_failed, fmt::format("pod/{}: {}", state_->pod, scrub(why)));
}

}  // namespace hermesctl::kube
