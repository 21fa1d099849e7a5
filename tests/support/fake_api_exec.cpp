// Commands "in containers" of the fake API server: pods/exec as v5.channel.k8s.io has it.
#include "support/fake_api.hpp"
#include "support/fake_api_target.hpp"

#include <utility>

namespace hermesctl::testing {
namespace {

using kube::Json;

void say(const FakeProcess& process, char channel, const std::string& payload) {
    process.wire->incoming.push_back(std::string(1, channel) + payload);
}

}  // namespace

void FakeProcess::out(const std::string& text) const {
    say(*this, 1, text);
}

void FakeProcess::err(const std::string& text) const {
    say(*this, 2, text);
}

void FakeProcess::exit(int code) const {
    Json status{{"metadata", Json::object()}, {"status", "Success"}};
    if (code != 0) {
        status["status"] = "Failure";
        status["reason"] = "NonZeroExitCode";
        status["details"]["causes"] =
            Json::array({{{"reason", "ExitCode"}, {"message", std::to_string(code)}}});
    }
    say(*this, 3, status.dump());
    wire->ended = true;
}

void FakeProcess::lose(const std::string& failure) const {
    wire->failure = failure;
    wire->ended = true;
}

net::Upgrade FakeApi::open(const net::Request& request, std::span<const std::string>) {
    const Target target(request.target);
    if (down) return {nullptr, no_answer("connection refused")};
    if (std::optional<net::Response> response = refused(request, target))
        return {nullptr, std::move(*response)};
    if (object(target.ref()).is_null()) return {nullptr, refusal(404, "NotFound", "pods not found")};
    log.push_back("EXEC pod/" + target.name);
    auto process = std::make_shared<FakeProcess>();
    process->pod = target.name;
    process->container = target.parameter("container");
    const auto [first, last] = target.query.equal_range("command");
    for (auto argument = first; argument != last; ++argument) {
        process->argv.push_back(argument->second);
    }
    process->wire = std::make_shared<Wire>();
    process->wire->incoming.push_back(std::string(1, 1));
    // Weak: a process that its own wire owns would never go.
    process->wire->on_send = [this, weak = std::weak_ptr<FakeProcess>(process)](const std::string& message) {
        const std::shared_ptr<FakeProcess> running = weak.lock();
        if (!running || message.empty()) return;
        if (message[0] == '\xff') running->input_ended = true;
        if (message[0] == 0) running->input += message.substr(1);
        if (on_exec && !running->wire->ended) on_exec(*running);
    };
    processes_.push_back(process);
    transport_.watch_wire(process->wire);
    if (on_exec) on_exec(*process);
    return {socket_on(process->wire), {.status = 101}};
}

}  // namespace hermesctl::testing
