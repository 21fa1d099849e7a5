// What the wait looks at, once and without watches.
#include "hermesctl/hermes/wait.hpp"
#include "items.hpp"

namespace hermesctl::hermes {
namespace {

using kube::Json;

Snapshot read(kube::Client& client, const Names& names) {
    const std::vector<kube::Client::Listing> lists{
        {"Deployment", names.ns, {.label = {}, .field = "metadata.name=" + names.name}},
        names.replica_sets(),
        names.pods(),
        {"PersistentVolumeClaim", names.ns, {.label = {}, .field = "metadata.name=" + names.claim().name}},
        {"Event", names.ns, {}}};
    const auto answers = client.list_all(lists);
    auto explaining = [&](std::size_t which) {  // what only explains may be denied
        return answers[which].error ? Objects() : by_name(answers[which]);
    };
    return {.deployment = only(by_name(answers[0])),
            .replica_sets = by_name(answers[1]),
            .pods = by_name(answers[2]),
            .claim = only(explaining(3)),
            .events = explaining(4),
            .moment = client.server_time()};
}

void ask(kube::Client& client, const std::string& ns, const std::string& pod, Snapshot& now) {
    using namespace std::chrono_literals;
    try {
        const kube::ExecOutput output =
            run_in_agent(client, in_agent(ns, pod, probe_command("facts")), "", 10s);
        now.agent = parse_facts(output.out, pod);
        if (!now.agent) now.exec_failure = complaint_of(output.exit_code, output.err);
    } catch (const kube::ApiError& error) {
        now.exec_denied = error.http() == 403;
        now.exec_failure = error.message();
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        now.exec_failure = error.message();
    }
}

}  // namespace

Glance glance(kube::Client& client, const Names& names) {
    Glance result{.snapshot = read(client, names)};
    result.assessment = assess(result.snapshot);
    if (!result.assessment.running) return result;
    ask(client, names.ns, result.assessment.pod, result.snapshot);
    result.assessment = assess(result.snapshot);
    return result;
}

}  // namespace hermesctl::hermes
