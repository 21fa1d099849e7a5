#include "hermesctl/hermes/live_config.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/plan.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/exec.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::at;
using kube::text_at;

constexpr int changed_meanwhile = 9;

// Both run as the agent, so that whatever it planted under these names gives nobody more than it has.
constexpr const char* read_script = R"sh(set -eu
PATH=/usr/bin:/bin
cd /opt/data
if [ -f .hermesctl-config ]; then head -c 32 .hermesctl-config; fi
echo
cat config.yaml)sh";

// The mark comes before the file: when this is interrupted, the next deploy sees that the pod has yet to
// roll.
constexpr const char* write_script = R"sh(set -eu
PATH=/usr/bin:/bin
cd /opt/data
umask 027
rm -rf -- .config.yaml.new
head -c "$1" > .config.yaml.new
[ "$(stat -c %s .config.yaml.new)" = "$1" ]
sum=$(sha256sum < config.yaml)
if [ "${sum%% *}" != "$2" ]; then rm -f .config.yaml.new; exit 9; fi
cp -p -- config.yaml "config.yaml.before-$3"
rm -rf -- .hermesctl-config
printf %s "$4" > .hermesctl-config
chmod 640 .config.yaml.new
mv -T -- .config.yaml.new config.yaml)sh";

kube::ExecOutput run(kube::Client& client, const Target& target, const std::vector<std::string>& argv,
                     const std::string& input, const std::function<void()>& each_round = {}) {
    return run_in_agent(client, in_agent(target.ns, target.pod, command_as(target, As::agent, argv)), input,
                        30s, each_round);
}

struct LiveFile {
    std::string mark{};
    std::string text{};
};

Error unreadable(const std::string& why, const std::string& hint) {
    return Error(ExitCode::failed, fmt::format("its config.yaml cannot be read: {}", why), hint);
}

LiveFile read_config(kube::Client& client, const Target& target) {
    const kube::ExecOutput read = run(client, target, {"/bin/sh", "-c", read_script, "read"}, "");
    const std::size_t line_end = read.out.find('\n');
    if (read.exit_code != 0 || line_end == std::string::npos)
        throw unreadable(scrub(read.err), "hermesctl logs");
    return {read.out.substr(0, line_end), read.out.substr(line_end + 1)};
}

Target config_target(kube::Client& client, const Composition& made) {
    if (made.stopped) throw unreadable("the agent is stopped", "hermesctl start, then this again");
    if (!made.live.installed(made.names)) {
        throw unreadable("there is a volume, but no agent runs with it",
                         "hermesctl deploy, then this again, once it answers");
    }
    Target target = find_agent(client, made.names);
    if (!target.running) throw unreadable("the agent does not run: " + target.why, target.hint);
    return target;
}

/// What flags and file name of config.yaml.
Json named_part(const Json& wish) {
    Json part = at(wish, "/config").is_object() ? at(wish, "/config") : Json::object();
    for (const char* key : {"provider", "default"}) {
        const Json& value = at(at(wish, "/model"), fmt::format("/{}", key));
        if (!value.is_null()) part["model"][key] = value;
    }
    return part;
}

/// `model` may be only a name, and model.model is another name of model.default.
Json merged_config(Json config, const Json& part) {
    if (!config.is_object()) config = Json::object();
    if (part.contains("model") && at(config, "/model").is_string())
        config["model"] = {{"default", config["model"]}};
    if (!at(part, "/model/default").is_null() && at(config, "/model").is_object())
        config["model"].erase("model");
    config.merge_patch(part);
    return config;
}

/// Null for a file that is no YAML: it can only be replaced.
Json parsed(const std::string& file, ConfigMode mode) {
    try {
        const auto documents = kube::parse_yaml(file, "config.yaml");
        return documents.empty() ? Json::object() : documents[0];
    } catch (const Error& error) {
        if (mode == ConfigMode::replace) return nullptr;
        throw unreadable(error.message(), "hermesctl deploy --config replace");
    }
}

bool is_mark(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void mark_template(Composition& made, const std::string& mark) {
    for (Json& object : made.objects) {
        if (text_at(object, "/kind") == "Deployment")
            object["spec"]["template"]["metadata"]["annotations"]["hermesctl/config"] = mark;
    }
}

}  // namespace

ConfigChange plan_config(kube::Client& client, Composition& made, ConfigMode mode, const Json& wish) {
    const Json part = named_part(wish);
    if (mode == ConfigMode::merge && part.empty()) {
        throw Error(ExitCode::usage, "--config merge merges what is named, and nothing of config.yaml is",
                    "name it: --provider, --model, or config: in a file; --config replace takes all of the "
                    "ConfigMap");
    }
    ConfigChange change;
    // A new volume is seeded by the pod's start.
    if (mode == ConfigMode::keep || made.live.of(made.names.claim()).is_null()) return change;
    change.target = config_target(client, made);
    const auto [mark, file] = read_config(client, change.target);
    const Json live = parsed(file, mode);
    const std::string seed = config_yaml(made.values);
    const Json wanted =
        mode == ConfigMode::merge ? merged_config(live, part) : kube::parse_yaml(seed, "config.yaml").at(0);
    if (wanted == live) {
        if (is_mark(mark)) mark_template(made, mark);
        return change;
    }
    change.text = mode == ConfigMode::merge ? kube::dump_yaml(wanted) : seed;
    change.fields = live.is_null() ? std::vector<std::string>{"it cannot be read as YAML now"}
                                   : differing_settings(live, wanted);
    change.before = sha256_hex(file);
    change.stamp = file_stamp(client.clock().wall());
    change.mark = hex(random_bytes(8));
    change.loses_comments = file.find('#') != std::string::npos;
    mark_template(made, change.mark);
    return change;
}

void write_config(kube::Client& client, const ConfigChange& change, const std::function<void()>& each_round) {
    const auto written = run(client, change.target,
                             {"/bin/sh", "-c", write_script, "write", std::to_string(change.text.size()),
                              change.before, change.stamp, change.mark},
                             change.text, each_round);
    if (written.exit_code == 0) return;
    if (written.exit_code == changed_meanwhile) {
        throw Error(ExitCode::failed, "the agent's config.yaml was changed meanwhile, and stays as it is",
                    "run this again");
    }
    throw Error(ExitCode::failed,
                fmt::format("the agent's config.yaml could not be written: {}", scrub(written.err)),
                "hermesctl logs");
}

std::vector<std::string> config_drift(kube::Client& client, const Target& target, const Json& config_map) {
    const Json seed = parsed(text_at(config_map, "/data/config.yaml"), ConfigMode::keep);
    const Json live = parsed(read_config(client, target).text, ConfigMode::keep);
    return differing_settings(merged_config(live, seed), live);
}

std::string config_text(const ConfigChange& change) {
    if (change.text.empty()) return "";
    std::string text = "~ change  /opt/data/config.yaml, the agent's own\n";
    for (const std::string& field : change.fields)
        text += fmt::format("            {}\n", field);
    text += fmt::format("            the old file stays beside it as config.yaml.before-{}\n", change.stamp);
    if (change.loses_comments) text += "            its comments and the order of its keys are lost\n";
    return text;
}

}  // namespace hermesctl::hermes
