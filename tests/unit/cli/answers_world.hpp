// A bot that answers, as far as status, wait and the scripts in its pod tell.
#pragma once

#include "hermesctl/base/crypto.hpp"
#include "support/cli_world.hpp"

#include <string>
#include <vector>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {

using namespace nlohmann::json_literals;
using kube::Json;

class AnswersTest : public ::testing::Test {
  protected:
    void SetUp() override {
        api().put(
            R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"hermes","namespace":"hermes",
            "uid":"d","generation":1,"annotations":{"deployment.kubernetes.io/revision":"1"}},
            "spec":{"replicas":1,"template":{"spec":{"containers":[{"name":"hermes","image":"hermes:1"}]}}},
            "status":{"observedGeneration":1,"updatedReplicas":1}})"_json);
        api().put(
            R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"hermes-1","namespace":"hermes",
            "uid":"r","labels":{"app":"hermes"},"annotations":{"deployment.kubernetes.io/revision":"1"},
            "ownerReferences":[{"uid":"d"}]}})"_json);
        api().put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"hermes-1-a","namespace":"hermes",
            "uid":"p","labels":{"app":"hermes"},"ownerReferences":[{"uid":"r"}]},
            "spec":{"nodeName":"hz"},"status":{"phase":"Running","containerStatuses":[
            {"name":"hermes","started":true,"state":{"running":{}}}]}})"_json);
        api().put(
            R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"hermes-config","namespace":"hermes"},
            "data":{"config.yaml":"model: {provider: minimax, default: M1}"}})"_json);
        Json secret = R"({"apiVersion":"v1","kind":"Secret",
            "metadata":{"name":"hermes-secrets","namespace":"hermes"}})"_json;
        secret["data"]["TELEGRAM_ALLOWED_USERS"] = base64_encode("1");
        api().put(secret);
        api().on_exec = [this](hermesctl::testing::FakeProcess& process) { answer(process); };
    }

    void answer(hermesctl::testing::FakeProcess& process) {
        if (fmt::format("{}", fmt::join(process.argv, " ")).find("cat config.yaml") != std::string::npos) {
            process.out("\n" + live_config_);
            return process.exit(0);
        }
        const bool asks_lifelines = process.argv.at(4).find("getMe") != std::string::npos;
        if (!asks_lifelines) {
            process.out(facts_.dump() + "\n");
            return process.argv.back() == "watch" ? void() : process.exit(0);
        }
        ++asked_;
        if (asked_ <= lost_) return process.lose("connection reset");
        process.out(lines_.dump());
        process.exit(0);
    }

    hermesctl::testing::FakeApi& api() { return world_.api; }
    ExitCode run(const std::vector<std::string>& arguments) { return world_.run(arguments); }
    std::string out() const { return world_.out.str(); }
    std::string err() const { return world_.err.str(); }

    hermesctl::testing::CliWorld world_{};
    Json lines_ =
        R"({"bot":{"status":200,"username":"cage_bot"},"model":{"status":200,"key":"MINIMAX_API_KEY"},
        "live":{"provider":"minimax","model":"M1"}})"_json;
    Json facts_ = R"({"alive":true,"gateway":"running","telegram":"connected","ready":true})"_json;
    std::string live_config_ = "model: {provider: minimax, default: M1}\n";
    int asked_ = 0;
    int lost_ = 0;  // so many checks lose their connection
};

}  // namespace hermesctl::cli
