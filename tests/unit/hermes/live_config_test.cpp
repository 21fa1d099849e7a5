// The config.yaml on the volume: left alone, merged into, or replaced, and never overwritten unseen. The
// scripts run under a real shell, in a folder that stands for the volume.
#include "hermesctl/hermes/live_config.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "support/command.hpp"
#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* mine = "# mine\nmodel:\n  provider: zai\n  model: glm\nagent:\n  name: robin\n";

class LiveConfigTest : public ::testing::Test {
  protected:
    LiveConfigTest() {
        made_.names = {.ns = "hermes", .name = "hermes"};
        made_.objects = render(made_.values, {});
        for (Json object : made_.objects) {
            if (object["kind"] == "Deployment")
                object["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1";
            api_.put(object);
        }
        api_.merge(made_.names.deployment(),
                   {{"status", {{"observedGeneration", 1}, {"updatedReplicas", 1}}}});
        made_.live = read_live(client_, made_.names);
        put_pod();
        put_file(mine);
        api_.on_exec = [this](testing::FakeProcess& process) { serve(process); };
    }

    void put_pod() {
        const std::string uid = api_.object(made_.names.deployment())["metadata"]["uid"];
        Json set =
            R"({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "hermes-1", "namespace": "hermes",
                "labels": {"app": "hermes"}, "annotations": {"deployment.kubernetes.io/revision": "1"}}})"_json;
        set["metadata"]["ownerReferences"] = Json::array({{{"uid", uid}, {"controller", true}}});
        api_.put(set);
        Json pod =
            R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "hermes-1-a", "namespace": "hermes",
                "labels": {"app": "hermes"}}, "spec": {"nodeName": "n", "containers": [{"name": "hermes"}]},
                "status": {"phase": "Running", "containerStatuses": [
                    {"name": "hermes", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}})"_json;
        const std::string owner = api_.object({"ReplicaSet", "hermes", "hermes-1"})["metadata"]["uid"];
        pod["metadata"]["ownerReferences"] = Json::array({{{"uid", owner}, {"controller", true}}});
        api_.put(pod);
    }
    /// The agent's container: its volume is the scratch folder, and who it runs as is only looked at.
    void serve(testing::FakeProcess& process) {
        argv_ = process.argv;
        if (argv_.back() != "read" && !process.input_ended) return;
        std::vector<std::string> argv(std::find(argv_.begin(), argv_.end(), "/bin/sh"), argv_.end());
        for (std::size_t at = argv.at(2).find("/opt/data"); at != std::string::npos;
             at = argv[2].find("/opt/data"))
            argv[2].replace(at, 9, volume_.path());
        const testing::Finished done = testing::finished(argv, {}, process.input);
        process.out(done.out);
        process.err(done.err);
        process.exit(done.code);
    }
    void put_file(const std::string& text) { volume_.write("config.yaml", text); }
    std::string file(const std::string& name = "config.yaml") const {
        std::ostringstream text;
        text << std::ifstream(volume_.path(name)).rdbuf();
        return text.str();
    }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(volume_.path()))
            all.push_back(entry.path().filename().string());
        std::sort(all.begin(), all.end());
        return all;
    }
    std::string failure(const std::function<void()>& action, ExitCode code = ExitCode::failed) {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code);
            return error.message() + " | " + error.hint();
        }
        return "no failure";
    }
    ConfigChange plan(ConfigMode mode, const Json& settings = Json::object()) {
        return plan_config(client_, made_, mode, settings);
    }
    std::string mark() const {
        return kube::text_at(made_.objects.back(), "/spec/template/metadata/annotations/hermesctl~1config");
    }

    testing::FakeClock clock_;
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_;
    kube::Client client_{transport_, clock_, reporter_};
    Composition made_{};
    testing::Scratch volume_;
    std::vector<std::string> argv_{};
};

const Json minimax = R"({"model": {"provider": "minimax", "default": "MiniMax-M3"}})"_json;

TEST_F(LiveConfigTest, MergesOnlyWhatIsNamed) {
    const ConfigChange change = plan(ConfigMode::merge, minimax);
    EXPECT_EQ(
        kube::parse_yaml(change.text, "t").at(0),
        R"({"model": {"provider": "minimax", "default": "MiniMax-M3"}, "agent": {"name": "robin"}})"_json)
        << "the other name of model.default must not contradict it";
    EXPECT_THAT(change.fields, Contains("model.provider: zai -> minimax"));
    EXPECT_THAT(config_text(change), AllOf(HasSubstr("/opt/data/config.yaml"), HasSubstr("comments")));
    EXPECT_FALSE(mark().empty()) << "the pod rolls";
    EXPECT_EQ(file(), mine) << "it was only looked at";
}

TEST_F(LiveConfigTest, MergesWhatTheFileSaysUnderConfig) {
    const ConfigChange change =
        plan(ConfigMode::merge, R"({"config": {"agent": {"name": null}, "terminal": {"timeout": 9}}})"_json);
    EXPECT_EQ(
        kube::parse_yaml(change.text, "t").at(0),
        R"({"model": {"provider": "zai", "model": "glm"}, "agent": {}, "terminal": {"timeout": 9}})"_json);
}

TEST_F(LiveConfigTest, AModelThatIsOnlyANameStaysAName) {
    put_file("model: glm\n");
    EXPECT_EQ(
        kube::parse_yaml(plan(ConfigMode::merge, R"({"model": {"provider": "zai"}})"_json).text, "t").at(0),
        R"({"model": {"provider": "zai", "default": "glm"}})"_json);
}

TEST_F(LiveConfigTest, WritesNothingThatIsThereAlready) {
    put_file("# mine\nmodel: {provider: minimax, default: MiniMax-M3}\n");
    const ConfigChange change = plan(ConfigMode::merge, minimax);
    EXPECT_EQ(change.text, "");
    EXPECT_THAT(change.fields, IsEmpty());
    EXPECT_EQ(config_text(change), "");
    EXPECT_EQ(mark(), "") << "and the pod stays";
}

TEST_F(LiveConfigTest, TheNewFileTakesTheOldOnesPlaceAndTheOldOneStays) {
    const ConfigChange change = plan(ConfigMode::merge, minimax);
    write_config(client_, change);
    EXPECT_EQ(file(), change.text);
    EXPECT_EQ(file("config.yaml.before-" + change.stamp), mine);
    EXPECT_THAT(names(),
                ElementsAre(".hermesctl-config", "config.yaml", "config.yaml.before-" + change.stamp));
    EXPECT_EQ(std::filesystem::status(volume_.path("config.yaml")).permissions(),
              static_cast<std::filesystem::perms>(0640));
}

TEST_F(LiveConfigTest, RunsAsTheAgentAndHasNothingOfTheFileInItsArguments) {
    const ConfigChange change = plan(ConfigMode::merge, minimax);
    EXPECT_EQ(argv_[0], "/usr/bin/setpriv");
    write_config(client_, change);
    EXPECT_EQ(argv_[0], "/usr/bin/setpriv");
    EXPECT_THAT(argv_, Not(Contains(HasSubstr("MiniMax-M3"))));
}

/// It was written, but the pod did not roll: the run before was interrupted.
TEST_F(LiveConfigTest, GoesOnWhereAnInterruptedOneEnded) {
    write_config(client_, plan(ConfigMode::merge, minimax));
    const std::string wanted = mark();
    made_.objects = render(made_.values, {});  // what the next run starts from: no mark on the live template
    EXPECT_EQ(plan(ConfigMode::merge, minimax).text, "");
    EXPECT_EQ(mark(), wanted);
    made_.objects = render(made_.values, {});
    volume_.write(".hermesctl-config", "$(touch /tmp/x)");
    plan(ConfigMode::merge, minimax);
    EXPECT_EQ(mark(), "") << "the agent can have written anything there";
}

TEST_F(LiveConfigTest, DoesNotOverwriteAChangeThatCameBetween) {
    const ConfigChange change = plan(ConfigMode::merge, minimax);
    put_file("model: another\n");
    EXPECT_THAT(failure([&] { write_config(client_, change); }), HasSubstr("changed meanwhile"));
    EXPECT_EQ(file(), "model: another\n");
    EXPECT_THAT(names(), ElementsAre("config.yaml"));
}

/// What the agent planted under the names that are used is neither followed nor written through.
TEST_F(LiveConfigTest, WritesThroughNoLink) {
    volume_.write("elsewhere", "stays");
    for (const char* name : {".config.yaml.new", ".hermesctl-config"})
        std::filesystem::create_symlink(volume_.path("elsewhere"), volume_.path(name));
    write_config(client_, plan(ConfigMode::merge, minimax));
    EXPECT_EQ(file("elsewhere"), "stays");
}

TEST_F(LiveConfigTest, RefusesToMergeNothing) {
    EXPECT_THAT(failure([&] { plan(ConfigMode::merge, R"({"image": "a/b:1"})"_json); }, ExitCode::usage),
                HasSubstr("--config merge"));
}

TEST_F(LiveConfigTest, ReplacesByWhatTheConfigMapHas) {
    put_file("model: {provider: zai}\nmcp_servers: {a: {headers: {Authorization: hunter2hunter2}}}\n");
    const ConfigChange change = plan(ConfigMode::replace);
    EXPECT_EQ(change.text, config_yaml(made_.values));
    EXPECT_THAT(change.fields, Contains("mcp_servers.a.headers.Authorization: removed"));
    EXPECT_THAT(config_text(change), AllOf(HasSubstr("config.yaml.before-"), Not(HasSubstr("hunter2"))));
    put_file("# with a comment\n" + config_yaml(made_.values));
    EXPECT_EQ(plan(ConfigMode::replace).text, "");
}

/// What is shown and what is in the JSON are the same lines.
TEST_F(LiveConfigTest, ShowsNothingOfWhatMayBeACredential) {
    put_file(
        "mcp_servers: {colony: {env: {COLONY_PAT: ghp_hunter2}}, nas: {passwd: hunter2}}\n"
        "db: {credentials: hunter2, cookie: hunter2}\n"
        "custom_providers: [{name: a, api_key: hunter2}]\n"
        "tls:\n  pem: |\n    -----BEGIN PRIVATE KEY-----\n    hunter2\n    -----END PRIVATE KEY-----\n");
    const ConfigChange replaced = plan(ConfigMode::replace);
    EXPECT_THAT(replaced.fields, AllOf(Contains("mcp_servers.colony.env.COLONY_PAT: removed"),
                                       Contains("mcp_servers.nas.passwd: removed"),
                                       Contains("db.credentials: removed"), Contains("db.cookie: removed"),
                                       Contains("custom_providers: - ***"), Contains("tls.pem: removed")));
    const ConfigChange merged = plan(ConfigMode::merge, {{"config",
                                                          {{"tls",
                                                            {{"pem",
                                                              "-----BEGIN PRIVATE KEY-----\nother\n"
                                                              "-----END PRIVATE KEY-----\n"}}}}}});
    EXPECT_THAT(merged.fields, ElementsAre("tls.pem: changed"));
    for (const ConfigChange& change : {replaced, merged}) {
        EXPECT_THAT(change.fields, Not(Contains(HasSubstr("hunter2"))));
        EXPECT_THAT(config_text(change), AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("other\n"))));
    }
}

TEST_F(LiveConfigTest, OnlyReplacesWhatIsNoYaml) {
    put_file("a: [");
    EXPECT_THAT(failure([&] { plan(ConfigMode::merge, minimax); }), HasSubstr("--config replace"));
    EXPECT_THAT(plan(ConfigMode::replace).fields, ElementsAre("it cannot be read as YAML now"));
}

TEST_F(LiveConfigTest, AMissingFileIsAFailureAndNotAnEmptyOne) {
    std::filesystem::remove(volume_.path("config.yaml"));
    EXPECT_THAT(failure([&] { plan(ConfigMode::replace); }), HasSubstr("No such file"));
}

TEST_F(LiveConfigTest, CannotBeReadWhileTheAgentIsStopped) {
    made_.stopped = true;
    EXPECT_THAT(failure([&] { plan(ConfigMode::merge, minimax); }),
                AllOf(HasSubstr("its config.yaml cannot be read"), HasSubstr("hermesctl start")));
    made_.stopped = false;
    api_.erase({"Pod", "hermes", "hermes-1-a"});
    EXPECT_THAT(failure([&] { plan(ConfigMode::merge, minimax); }), HasSubstr("the agent does not run"));
}

TEST_F(LiveConfigTest, IsSeededWhereThereIsNoVolumeYet) {
    made_.live = {};
    EXPECT_EQ(plan(ConfigMode::replace).text, "");
    EXPECT_THAT(api_.log, Not(Contains(HasSubstr("EXEC"))));
}

}  // namespace
}  // namespace hermesctl::hermes
