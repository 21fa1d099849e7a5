// Runs trial.py in the agent's pod, or in a one-shot pod where that cannot be had.
#include "hermesctl/hermes/trial.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/utf8.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/target.hpp"
#include "hermesctl/kube/exec.hpp"
#include "throwaway_job.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using namespace std::chrono_literals;
using kube::at;
using kube::text_at;

constexpr auto longest_trial = 58s;  // trial.py ends after 55
constexpr auto to_start = 90s;
constexpr std::string_view one_shot = "one-shot pod";
constexpr std::string_view trial_container = "trial";  // as trial.yaml has it

/// What the container would have of them, were it there.
Json routes_of(const Json& deployment, const std::map<std::string, std::string>& secret) {
    Json routes = Json::object();
    for (const auto& [name, value] : secret) {
        if (is_route(name) && is_text(value)) routes[name] = value;
    }
    for (const Json& container : at(deployment, "/spec/template/spec/containers")) {
        for (const Json& entry : at(container, "/env")) {
            const std::string name = text_at(entry, "/name");
            if (is_route(name) && at(entry, "/value").is_string()) routes[name] = entry["value"];
        }
    }
    return routes;
}

/// The agent's image, labels and gate; no volume, no variable, no rights.
Json trial_job(const Names& names, const Json& deployment) {
    const Json& agent = at(deployment, "/spec/template/spec");
    Json job = throwaway_job("trial.yaml", names, agent);
    Json& spec = job["/spec/template/spec"_json_pointer];
    spec["/containers/0/image"_json_pointer] = agent_image(agent);
    Json gate = gate_of(deployment);
    if (!gate.is_null()) {
        gate["image"] = agent_image(agent);
        gate["imagePullPolicy"] = "IfNotPresent";  // as the trial itself: :latest would be pulled
        spec["initContainers"].push_back(gate);
    }
    return job;
}

class Trying {
  public:
    Trying(kube::Client& client, const Names& names, const std::map<std::string, std::string>& values,
           Reporter& reporter, const std::function<void()>& each_round, TrialPlace place)
        : client_(client),
          names_(names),
          values_(values),
          reporter_(reporter),
          each_round_(each_round),
          place_(place) {}

    Trials run() {
        try {
            const Target target = find_agent(client_, names_);
            if (!target.running) failure_ = "no agent runs: " + target.why;
            const bool asked = target.running && in_pod(target);
            if (!asked && place_ == TrialPlace::anywhere) beside();
        } catch (const kube::ApiError& error) {  // the pods may not be listed, say
            if (error.code() == ExitCode::unreachable) throw;
            failure_ = error.message();
            trials_.from.clear();
        }
        if (trials_.each.empty()) give_up();
        return trials_;
    }

  private:
    Json question() const {
        Json providers = Json::object();
        for (const auto& [key, value] : values_)
            providers[key] = provider_of_key(key);
        return {{"values", values_}, {"providers", providers},      {"present", ""},
                {"polled", false},   {"variables", Json::object()}, {"config", ""}};
    }

    /// False where another pod may do better.
    bool in_pod(const Target& target) {
        reporter_.on({"trial", "values", State::waiting, "tried from pod/" + target.pod});
        Json asked = question();
        asked["polled"] = true;
        trials_.from = "pod/" + target.pod;
        return ask(target.pod, std::string(container_name), asked);
    }

    void beside() {
        const std::array refs{names_.deployment(), names_.secret(), names_.config()};
        const auto read = client_.get_all(refs);
        const Json& deployment = read[0].value();
        const auto secret =
            read[1].object ? secret_values(*read[1].object) : std::map<std::string, std::string>{};
        Json asked = question();
        if (const auto token = secret.find(std::string(token_key));
            token != secret.end() && is_text(token->second))
            asked["present"] = token->second;
        asked["variables"] = routes_of(deployment, secret);
        if (read[2].object) asked["config"] = text_at(*read[2].object, "/data/config.yaml");
        reporter_.on({"trial", "values", State::waiting,
                      "no agent can be asked: tried from a one-shot pod in the same cage"});
        AskedJob job(client_, trial_job(names_, deployment), std::string(one_shot), to_start);
        const std::string running = started(job);
        if (running.empty()) {
            failure_ = job.why_not();
            trials_.from.clear();
            return;
        }
        trials_.from = fmt::format("a {}", one_shot);
        ask(running, std::string(trial_container), asked);
    }

    /// The name of its pod; "" where that will not run.
    std::string started(AskedJob& job) {
        while (true) {
            const Json pod = job.running_pod();
            if (!pod.is_null() || !job.why_not().empty()) return text_at(pod, "/metadata/name");
            if (each_round_) each_round_();
            reporter_.tick();
            client_.clock().sleep(300ms);
        }
    }

    /// False where the command could not be run, or ended without an answer.
    bool ask(const std::string& pod, const std::string& container, const Json& asked) {
        const kube::ExecRequest request{.ns = names_.ns,
                                        .pod = pod,
                                        .container = container,
                                        .argv = python_command(asking_script("trial.py"), {}),
                                        .input = true,
                                        .input_ends = false};
        try {
            const kube::ExecOutput output = run_exec(client_.transport(), client_.clock(), request,
                                                     asked.dump(-1, ' ', true) + "\n", longest_trial, [this] {
                                                         if (each_round_) each_round_();
                                                         reporter_.tick();
                                                     });
            if (auto each = parse_trials(output.out, values_)) {
                trials_.each = std::move(*each);
                reporter_.on({"trial", "values", State::done, "asked from " + trials_.from});
                return true;
            }
            failure_ = "the pod gave no answer: " + complaint_of(output.exit_code, output.err);
            return false;
        } catch (const Error& error) {
            if (error.code() == ExitCode::interrupted || error.code() == ExitCode::unreachable) throw;
            failure_ = "the pod could not be asked: " + error.message();
            // Elsewhere it would be the same.
            return error.code() == ExitCode::denied || error.code() == ExitCode::timeout;
        }
    }

    void give_up() {
        reporter_.on({"trial", "values", State::warning, "not tried: " + failure_});
        for (const auto& [key, value] : values_)
            trials_.each.push_back({.key = key,
                                    .answer = Answer::no_answer,
                                    .reason = failure_,
                                    .hint = "--no-check asks nobody"});
    }

    kube::Client& client_;
    const Names& names_;
    const std::map<std::string, std::string>& values_;
    Reporter& reporter_;
    const std::function<void()>& each_round_;
    TrialPlace place_;
    Trials trials_{};
    std::string failure_{};
};

}  // namespace

bool is_route(std::string_view variable) {
    constexpr std::array<std::string_view, 11> names{
        "HTTPS_PROXY", "https_proxy", "HTTP_PROXY",    "http_proxy",   "ALL_PROXY",     "all_proxy",
        "NO_PROXY",    "no_proxy",    "SSL_CERT_FILE", "SSL_CERT_DIR", "TELEGRAM_PROXY"};
    // A config.yaml may refer to any: "${COLONY_URL}".
    return variable.ends_with("_URL") || std::ranges::find(names, variable) != names.end();
}

Trials try_values(kube::Client& client, const Names& names, const std::map<std::string, std::string>& values,
                  Reporter& reporter, const std::function<void()>& each_round, TrialPlace place) {
    std::map<std::string, std::string> texts;
    std::vector<Trial> rest;
    for (const auto& [key, value] : values) {
        remember_secret(value);
        if (is_text(value)) {
            texts.emplace(key, value);
        } else {
            rest.push_back({.key = key, .reason = "it is no text"});
        }
    }
    Trials trials;
    if (!texts.empty()) trials = Trying(client, names, texts, reporter, each_round, place).run();
    std::ranges::move(rest, std::back_inserter(trials.each));
    std::ranges::stable_sort(trials.each, {}, &Trial::key);
    return trials;
}

}  // namespace hermesctl::hermes
