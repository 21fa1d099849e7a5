// What commands print: text on terminals of some widths and in a pipe, and JSON.
#include "hermesctl/base/crypto.hpp"
#include "support/cli_world.hpp"
#include "support/golden.hpp"
#include "support/installation.hpp"

#include <regex>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using namespace nlohmann::json_literals;
using hermesctl::testing::expect_golden;
using hermesctl::testing::FakeProcess;
using hermesctl::testing::object_of;
using kube::Json;

const std::string token = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr";

/// What the scripts of hermesctl find in the pod of a bot that answers.
/// One that cannot be looked into far.
const Json closed_inside =
    R"({"tokens":[],"gateways":[],"container":{},"plain":[],"resolvers":{},"configs":{},
    "env_files":{"/opt/data/.env":{"state":"read","shadows":[]}}})"_json;

/// One in which all is as deploy makes it.
const Json sound_inside = R"({"tokens":[], "plain":[], "ping":"1 0",
    "resolvers":{"state":"read","servers":["10.43.0.10"]},
    "gateways":[{"uids":[10000,10000,10000,10000],"capabilities":false,"environ":"read","backend":"",
                 "allow_all":[],"wildcards":[],"users":{"count":1,"odd":0,"ids":[111]}}],
    "container":{"backend":"","allow_all":[],"wildcards":[],"users":{"count":1,"odd":0,"ids":[111]}},
    "configs":{"/opt/data/config.yaml":{"state":"read","backend":"local","unclear":false,"open":false,
               "provider":"minimax","references":{},"credentials":[],"copies":[]}},
    "env_files":{"/opt/data/.env":{"state":"read","shadows":{},"mark":"","backend":"","allow_all":[],
                 "wildcards":[]}}})"_json;

void answer_as_agent(FakeProcess& process, const Json& inside) {
    static const Json lines =
        R"({"bot":{"status":200,"username":"cage_bot"},"model":{"status":200,"key":"MINIMAX_API_KEY"},
        "live":{"provider":"minimax","model":"MiniMax-M2.7"}})"_json;
    static const Json facts =
        R"({"alive":true,"gateway":"running","telegram":"connected","ready":true})"_json;
    const std::string& last = process.argv.back();
    const auto runs = [&](const char* part) {
        return process.argv.at(4).find(part) != std::string::npos || last.find(part) != std::string::npos;
    };
    if (last == "read") {
        process.out("\nmodel: {provider: minimax, default: MiniMax-M2.7}\n");
    } else if (runs("BOOT, PLACE")) {
        process.out(
            "2026-01-01 00:00:01,000 INFO gateway.run: Connecting to telegram...\n"
            "2026-01-01 00:00:04,000 INFO gateway.run: ✓ telegram connected\n");
    } else if (runs("REQUESTS[by]")) {
        Json reached = Json::object();
        for (const Json& target : Json::parse(last)) {
            const bool wanted = target["host"].get<std::string>().starts_with("api.");
            reached[target["name"].get<std::string>()] = wanted ? "open" : "refused";
        }
        process.out(Json{{"gateway", Json::array()}, {"reached", reached}}.dump() + "\n");
    } else {
        process.out((runs("env_files") ? inside : runs("getMe") ? lines : facts).dump() + "\n");
    }
    if (last != "watch") process.exit(0);
}

/// The line, what it printed and its exit code.
std::string shown(const std::vector<std::string>& words, const std::string& printed, ExitCode code) {
    std::string text = "$ hermesctl";
    for (const std::string& word : words)
        text += " " + word;
    return fmt::format("{}\n{}exit {}\n", text, printed, static_cast<int>(code));
}

/// A bot that answers, whose cage leaks and whose agent lacks what the Secret holds.
class Installed {
  public:
    Installed() {
        hermesctl::testing::put_installation(world_.api, "work", "second");
        world_.api.merge({"Secret", "work", "second-secrets"},
                         {{"metadata", {{"annotations", {{"hermesctl/salt", "salt"}}}}},
                          {"data",
                           {{"TELEGRAM_ALLOWED_USERS", base64_encode("111,222")},
                            {"TELEGRAM_BOT_TOKEN", base64_encode(token)},
                            {"MINIMAX_API_KEY", base64_encode("the-key-of-minimax")}}}});
        world_.api.merge(deployment_,
                         R"({"spec":{"template":{"metadata":{"annotations":{"hermesctl/secret-hmac":"old"}}}},
            "status":{"readyReplicas":1}})"_json);
        world_.api.on_write = [this](const std::string& type, const Json& object) {
            reconcile(type, object);
        };
        world_.api.on_exec = [](FakeProcess& process) { answer_as_agent(process, closed_inside); };
    }

    /// As hermesctl itself makes it.
    Installed& deployed() {
        EXPECT_EQ(world_.run({"deploy", "--no-wait", "-y", "-n", "work", "--name", "second"}), ExitCode::ok)
            << world_.err.str();
        return *this;
    }

    /// width 0: stdout is a pipe.
    std::string said(const std::vector<std::string>& words, int width) {
        world_.terminal.out_is_terminal = width > 0;
        if (width > 0) world_.terminal.width = width;
        ::testing::internal::CaptureStdout();  // a log is passed on as it comes
        const ExitCode code = world_.run(words);
        const std::string passed_on = ::testing::internal::GetCapturedStdout();
        return shown(words, world_.out.str() + passed_on, code);
    }

    Json json_of(const std::vector<std::string>& words) {
        EXPECT_EQ(world_.run(words), ExitCode::ok) << world_.err.str();
        return Json::parse(world_.out.str());
    }

  private:
    /// The controllers, as far as a stop and a teardown wait for them.
    void reconcile(const std::string& type, const Json& object) {
        if (kube::ref_of(object) != deployment_) return;
        const bool gone = type == "DELETED";
        const auto wanted = gone ? 0 : kube::int_at(object, "/spec/replicas");
        if (wanted == 0) world_.api.erase({"Pod", "work", "second-1-a"});
        if (gone) return world_.api.erase({"ReplicaSet", "work", "second-1"});
        world_.api.merge(
            deployment_,
            {{"status",
              {{"observedGeneration", kube::int_at(object, "/metadata/generation")}, {"replicas", wanted}}}});
    }

    hermesctl::testing::CliWorld world_{};
    const kube::Ref deployment_{"Deployment", "work", "second"};
};

/// A cluster without an agent, whose controllers make of a Deployment a pod that answers.
void furnish(hermesctl::testing::CliWorld& world) {
    world.context.environment["TOKEN"] = token;
    world.context.environment["KEY"] = "the-key-of-minimax";
    world.context.resolve = [](const std::string&) { return std::vector<std::string>{"85.10.0.30"}; };
    world.api.put(object_of("Node", "", "node", R"({"spec": {"podCIDRs": ["10.42.0.0/24"]},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.168.1.20"}]}})"_json));
    world.api.put(object_of("Service", "kube-system", "kube-dns",
                            R"({"metadata": {"labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": "10.43.0.10", "clusterIPs": ["10.43.0.10"], "selector": {"k8s-app": "kube-dns"},
        "ports": [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53}]}})"_json));
    world.api.on_exec = [](FakeProcess& process) { answer_as_agent(process, sound_inside); };
    world.api.on_write = [&world](const std::string& type, const Json& object) {
        if (type != "ADDED" || kube::text_at(object, "/kind") != "Deployment") return;
        Json spec = kube::at(object, "/spec/template/spec");
        spec["nodeName"] = "node";
        const Json status = R"({"phase": "Running", "containerStatuses": [
            {"name": "hermes", "started": true, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]})"_json;
        hermesctl::testing::run_pod(world.api, "hermes-1-a", {{"spec", spec}, {"status", status}});
    };
}

/// Without what differs from run to run.
std::string without_hashes(const std::string& text) {
    static const std::regex hex("\\b[0-9a-f]{16,}\\b");
    return std::regex_replace(text, hex, "<hex>");
}

/// Without what differs from machine to machine, either.
std::string masked(const std::string& text) {
    static const std::regex library("(\"[a-z]+\": \")[^\"]*/[0-9][^\"]*\"");
    return std::regex_replace(without_hashes(text), library, "$1<versions>\"");
}

/// Scripts have tests of their own.
void leave_out_scripts(Json& value) {
    constexpr std::size_t longest = 1000;
    if (value.is_string() && value.get_ref<const std::string&>().size() > longest) value = "(a script)";
    if (!value.is_structured()) return;
    for (Json& item : value)
        leave_out_scripts(item);
}

TEST(OutputGolden, StatusLosesNothingOnNarrowTerminals) {
    Installed installed;
    const std::vector<std::string> line{"status", "-n", "work", "--name", "second"};
    const std::string piped = installed.said(line, 0);
    expect_golden("output/status-pipe.txt", piped);
    EXPECT_EQ(installed.said(line, 40), piped);
}

TEST(OutputGolden, TextAndJsonOfCommands) {
    for (std::vector<std::string> line :
         std::vector<std::vector<std::string>>{{"status", "--no-check"},
                                               {"list"},
                                               {"deploy", "--dry-run", "--model", "M3"},
                                               {"diff", "--model", "M3"},
                                               {"stop"},
                                               {"start", "--no-wait"},
                                               {"restart", "--no-wait"},
                                               {"wait"},
                                               {"logs"},
                                               {"teardown", "--dry-run"},
                                               {"rotate-secret", "--list"},
                                               {"allow-user", "--list"},
                                               {"version"}}) {
        const std::string name = line.front();
        if (name != "list" && name != "version") line.insert(line.end(), {"-n", "work", "--name", "second"});
        const bool plans = name == "deploy" || name == "diff";
        const auto said = [&](int width) {
            Installed installed;
            return (plans ? installed.deployed() : installed).said(line, width);
        };
        std::string all = said(80);
        line.insert(line.end(), {"-o", "json"});
        all += said(0);
        expect_golden(fmt::format("output/{}.txt", name), masked(all));
    }
}

TEST(OutputGolden, WhatATeardownSays) {
    std::string all;
    for (std::vector<std::string> line :
         std::vector<std::vector<std::string>>{{"teardown", "-y"}, {"teardown", "-y", "-o", "json"}}) {
        line.insert(line.end(), {"-n", "work", "--name", "second"});
        all += Installed().said(line, 0);
    }
    expect_golden("output/teardown-done.txt", all);
}

TEST(OutputGolden, TheObjectsAsJson) {
    Json objects = Installed().deployed().json_of({"render", "-n", "work", "--name", "second", "-o", "json"});
    leave_out_scripts(objects);
    expect_golden("output/render.json", without_hashes(objects.dump(2) + "\n"));
}

TEST(OutputGolden, APlanOnANarrowTerminal) {
    hermesctl::testing::CliWorld world;
    furnish(world);
    world.terminal = {.live = true, .width = 40};
    const std::vector<std::string> line{"deploy",
                                        "--no-wait",
                                        "--no-check",
                                        "--allow-user",
                                        "111",
                                        "--secret",
                                        "TELEGRAM_BOT_TOKEN=env:TOKEN",
                                        "--secret",
                                        "MINIMAX_API_KEY=env:KEY"};
    ASSERT_EQ(world.run(line), ExitCode::ok) << world.err.str();
    const std::vector<std::string> again{"deploy", "--no-wait", "--no-check", "-y", "--model", "M3"};
    const ExitCode code = world.run(again);
    expect_golden("output/narrow-plan.txt", without_hashes(shown(again, world.err.str(), code)));
}

/// What a newcomer sees in a pipe: the story on stderr, then the result.
TEST(OutputGolden, TheStoryOfAFirstDeploy) {
    std::string all;
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"-o", "json"}}) {
        hermesctl::testing::CliWorld world;
        furnish(world);
        std::vector<std::string> line{
            "deploy",   "--allow-user",           "111", "--secret", "TELEGRAM_BOT_TOKEN=env:TOKEN",
            "--secret", "MINIMAX_API_KEY=env:KEY"};
        line.insert(line.end(), more.begin(), more.end());
        const ExitCode code = world.run(line);
        EXPECT_EQ(code, ExitCode::ok);
        EXPECT_NE(world.out.str().find("@cage_bot"), std::string::npos);
        all += shown(line, world.err.str() + world.out.str(), code);
    }
    expect_golden("output/first-deploy.txt", without_hashes(all));
}

}  // namespace
}  // namespace hermesctl::cli
