// A deploy whose agent runs, and the scripts in its pod as far as a further deploy asks them.
#pragma once

#include "support/cli_world.hpp"
#include "support/installation.hpp"
#include "trial_answers.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace hermesctl::cli {

using kube::Json;

inline const kube::Ref deployment{"Deployment", "hermes", "hermes"};

/// An agent that deploy made and that answers.
class RunningDeploy : public ::testing::Test {
  protected:
    RunningDeploy() {
        world_.context.environment["TOKEN"] = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr";
        world_.context.environment["KEY"] = "the-key-of-minimax";
        world_.api.on_exec = [this](hermesctl::testing::FakeProcess& process) { answer(process); };
        EXPECT_EQ(world_.run({"deploy", "--no-wait", "--allow-user", "111", "--secret",
                              "TELEGRAM_BOT_TOKEN=env:TOKEN", "--secret", "MINIMAX_API_KEY=env:KEY"}),
                  ExitCode::ok)
            << world_.err.str();
        run_pod();
    }
    void answer(hermesctl::testing::FakeProcess& process) {
        const auto with_config = std::ranges::find_if(process.argv, [](const std::string& word) {
            return word.find(".hermesctl-config") != std::string::npos;
        });
        if (with_config != process.argv.end()) {
            process.out("\nmodel: {default: MiniMax-M2.7}\n");
            return process.exit(*std::next(with_config) == "read" ? 0 : 1);  // it cannot be written
        }
        const std::string& script = process.argv.at(4);
        if (script.find("polled_by_another") != std::string::npos) {
            if (process.input.find('\n') == std::string::npos) return;  // it is still being asked
            asked_ = Json::parse(process.input)["values"];
            process.out(trial_answers(asked_, status_, bot_).dump() + "\n");
            return process.exit(0);
        }
        if (script.find("getMe") != std::string::npos) {
            process.out(R"({"bot":{"status":200,"username":"cage_bot"},)"
                        R"("model":{"status":200,"key":"MINIMAX_API_KEY"},)"
                        R"("live":{"provider":"minimax","model":"MiniMax-M2.7"}})");
            return process.exit(0);
        }
        process.out(R"({"alive":true,"gateway":"running","telegram":"connected","ready":true})"
                    "\n");
        if (process.argv.back() != "watch") process.exit(0);
    }
    /// The controllers and the kubelet.
    void run_pod() {
        auto& api = world_.api;
        Json spec = api.object(deployment)["spec"]["template"]["spec"];
        spec["nodeName"] = "node";
        const Json status = Json::parse(R"({"phase":"Running","containerStatuses":[
            {"name":"hermes","started":true,"state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]})");
        hermesctl::testing::run_pod(api, "hermes-1-a", {{"spec", spec}, {"status", status}});
    }

    int status_ = 200;  // of a trial
    std::string bot_ = "cage_bot";
    Json asked_{};  // in the last trial
    hermesctl::testing::CliWorld world_{};
};

}  // namespace hermesctl::cli
