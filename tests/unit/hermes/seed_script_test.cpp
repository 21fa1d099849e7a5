// The init container seed-config (manifests/60-deployment.yaml) under the real shell, on a volume as an
// earlier boot and a hostile agent leave it.
#include "hermesctl/base/file.hpp"
#include "hermesctl/hermes/manifest.hpp"
#include "support/command.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;
using ::testing::ElementsAre;
using testing::Finished;

const std::string seed = "model: {provider: minimax}\n";

class SeedScript : public ::testing::Test {
  protected:
    SeedScript() {
        root_.write("seed/config.yaml", seed);
        std::filesystem::create_directories(root_.path("data"));
    }
    /// Its folders are ours instead of those of the pod.
    Finished run() const {
        const Json& containers =
            kube::at(manifest("60-deployment.yaml"), "/spec/template/spec/initContainers");
        auto argv =
            kube::at(kube::with_name(containers, "seed-config"), "/command").get<std::vector<std::string>>();
        std::string& script = argv.at(2);
        for (const auto& [theirs, ours] :
             {std::pair<std::string, std::string>{"/opt/data", root_.path("data")},
              {"/seed", root_.path("seed")}}) {
            for (std::size_t at = script.find(theirs); at != std::string::npos;
                 at = script.find(theirs, at + ours.size()))
                script.replace(at, theirs.size(), ours);
        }
        return testing::finished(argv);
    }
    std::string path(const std::string& name) const { return root_.path("data/" + name); }
    void put(const std::string& name, const std::string& text) const { root_.write("data/" + name, text); }
    std::string file(const std::string& name) const { return read_file(path(name)).value_or("(none)"); }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(root_.path("data")))
            all.push_back(entry.path().filename().string());
        std::sort(all.begin(), all.end());
        return all;
    }

    testing::Scratch root_{};
};

TEST_F(SeedScript, WhatAnEarlierBootLeftGoesAndNothingElse) {
    for (const char* name :
         {"gateway_state.json", "gateway.pid", "processes.json/odd", "config.yaml", "state.db"})
        put(name, "of before");
    const Finished done = run();
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(names(), ElementsAre("config.yaml", "state.db"));
    EXPECT_EQ(file("state.db"), "of before");
}

TEST_F(SeedScript, OnlyAVolumeWithoutAConfigIsSeeded) {
    put("state.db", "of before");  // the agent may have lost its config alone
    const Finished done = run();
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(names(), ElementsAre("config.yaml", "state.db"));
    EXPECT_EQ(file("config.yaml"), seed);
    struct stat found {};
    ASSERT_EQ(::stat(path("config.yaml").c_str(), &found), 0);
    const bool root = ::getuid() == 0;  // else it can be given to nobody
    EXPECT_EQ(found.st_uid, root ? 10000U : ::getuid());
    EXPECT_EQ(found.st_mode & 07777, root ? 0640U : 0644U);
    put("config.yaml", "the agent's own");
    EXPECT_EQ(run().code, 0);
    EXPECT_EQ(file("config.yaml"), "the agent's own");
}

TEST_F(SeedScript, NothingIsReadOrWrittenThroughALink) {
    const std::string another = root_.write("elsewhere/file", "of another");
    for (const char* name : {"gateway_state.json", "gateway.pid", ".config.yaml.new"})
        std::filesystem::create_symlink(another, path(name));
    std::filesystem::create_directory_symlink(root_.path("elsewhere"), path("processes.json"));
    const Finished done = run();
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(read_file(another), "of another");
    EXPECT_THAT(names(), ElementsAre("config.yaml"));
    EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(path("config.yaml"))));
    EXPECT_EQ(file("config.yaml"), seed);
}

TEST_F(SeedScript, ALinkInTheConfigsPlaceIsLeftAlone) {
    const std::string another = root_.write("elsewhere/file", "of another");
    for (const std::string& target : {another, root_.path("elsewhere/none")}) {
        std::filesystem::create_symlink(target, path("config.yaml"));
        EXPECT_EQ(run().code, 0) << target;
        EXPECT_TRUE(std::filesystem::is_symlink(path("config.yaml"))) << target;
        EXPECT_EQ(read_file(another), "of another");
        EXPECT_FALSE(std::filesystem::exists(root_.path("elsewhere/none")));
        std::filesystem::remove(path("config.yaml"));
    }
}

}  // namespace
}  // namespace hermesctl::hermes
