// An independent judge of how kubeconfig files are read: kubectl itself, over files plain and odd.
// HERMES_TEST_KUBE (of `tests/node/node env`) is the program that it is part of.
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/kube/kubeconfig.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

const std::string directory = std::string(TESTS_DIR) + "/testdata/kubeconfig";

std::string kube_program() {
    const char* path = std::getenv("HERMES_TEST_KUBE");
    return path == nullptr ? "" : path;
}

/// The configuration, or nothing when it was refused.
std::optional<Json> theirs(const KubeconfigRequest& request, const Environment& environment) {
    ProcessSpec process{
        .argv = {kube_program(), "kubectl", "config", "view", "--minify", "--flatten", "--raw", "-o", "json"},
        .environment = environment};
    if (!request.file.empty()) process.argv.push_back("--kubeconfig=" + request.file);
    if (!request.context.empty()) process.argv.push_back("--context=" + request.context);
    const auto result = run_process(process);
    if (!result) throw std::runtime_error("cannot run " + kube_program());
    if (result->exit_code != 0) return std::nullopt;
    return Json::parse(result->output);
}

std::optional<Json> ours(const KubeconfigRequest& request, const Environment& environment) {
    try {
        return flattened_config(request, environment);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        return std::nullopt;
    }
}

/// kubectl prints the paths that it does not flatten as they stand in the file; ours are where they lead.
void make_absolute(Json& config) {
    for (Json& user : config["users"]) {
        for (const char* pointer : {"/user/tokenFile", "/user/exec/command"}) {
            const std::string path = text_at(user, pointer);
            if (path.find('/') == std::string::npos || path[0] == '/') continue;
            user[Json::json_pointer(pointer)] = (std::filesystem::path(directory) / path).lexically_normal();
        }
    }
}

void expect_same(const KubeconfigRequest& request, const Environment& environment) {
    if (kube_program().empty()) FAIL() << "HERMES_TEST_KUBE is not set; tests/node/node env prints it";
    auto expected = theirs(request, environment);
    auto actual = ours(request, environment);
    ASSERT_EQ(actual.has_value(), expected.has_value()) << (actual     ? *actual
                                                            : expected ? *expected
                                                                       : Json())
                                                               .dump(1);
    if (!expected) return;
    make_absolute(*expected);
    for (Json* config : {&*expected, &*actual}) {
        if (at(*config, "/preferences").empty()) config->erase("preferences");  // kubectl 1.34 leaves it out
    }
    EXPECT_EQ(actual->dump(1), expected->dump(1));
}

std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.is_regular_file()) names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

class KubeconfigFile : public ::testing::TestWithParam<std::string> {};

TEST_P(KubeconfigFile, IsReadAsKubectlReadsIt) {
    expect_same({.file = directory + "/" + GetParam()}, {{"HOME", "/nonexistent"}});
}

INSTANTIATE_TEST_SUITE_P(Compare, KubeconfigFile, ::testing::ValuesIn(files()), [](const auto& file) {
    std::string name = file.param;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
    return name;
});

struct Listing {
    std::string list{};  // $ stands for the directory
    std::string context{};
};

class KubeconfigList : public ::testing::TestWithParam<Listing> {};

TEST_P(KubeconfigList, IsMergedAsKubectlMergesIt) {
    std::string list = GetParam().list;
    for (auto mark = list.find('$'); mark != std::string::npos; mark = list.find('$'))
        list.replace(mark, 1, directory);
    expect_same({.context = GetParam().context}, {{"HOME", "/nonexistent"}, {"KUBECONFIG", list}});
}

INSTANTIATE_TEST_SUITE_P(
    Compare, KubeconfigList,
    ::testing::Values(Listing{"$/plain.yaml"}, Listing{"$/plain.yaml", "other"},
                      Listing{"$/plain.yaml", "nobody"}, Listing{"$/plain.yaml:$/second/first-wins.yaml"},
                      Listing{"$/second/first-wins.yaml:$/plain.yaml"},
                      Listing{"$/missing-cluster.yaml:$/second/first-wins.yaml", "other"},
                      Listing{"$/missing-cluster.yaml:$/second/first-wins.yaml", "third"},
                      Listing{"$/no-current-context.yaml:$/second/first-wins.yaml"},
                      Listing{":$/none.yaml::$/plain.yaml:$/plain.yaml:"}, Listing{"$/none.yaml"},
                      Listing{":"}, Listing{"$/broken.yaml:$/plain.yaml"},
                      Listing{"$/empty.yaml:$/comment.yaml:$/relative.yaml"},
                      Listing{"$/extensions.yaml:$/plain.yaml"}, Listing{"$/plain.yaml:$/extensions.yaml"},
                      Listing{"$:$/plain.yaml"}));

TEST(KubeconfigCompare, DefaultIsInTheHomeDirectory) {
    const std::filesystem::path home = std::filesystem::path(::testing::TempDir()) / "kubeconfig_compare";
    std::filesystem::create_directories(home / ".kube");
    std::filesystem::copy_file(directory + "/plain.yaml", home / ".kube/config",
                               std::filesystem::copy_options::overwrite_existing);
    expect_same({}, {{"HOME", home}});
}

// kubectl as the judge of what dump_yaml writes: texts that a reader could take for something else.
TEST(KubeconfigCompare, DumpedYamlMeansTheSameToKubectl) {
    Json texts = Json::array();
    for (const char* text : {"yes",
                             "no",
                             "on",
                             "y",
                             "null",
                             "~",
                             "0x1F",
                             "0o17",
                             "0777",
                             "1e3",
                             "1_000",
                             ".5",
                             "12:30",
                             "2020-01-01",
                             ": ",
                             "a: b",
                             "# x",
                             "a # b",
                             "-",
                             "- a",
                             "---",
                             "? a",
                             "!tag",
                             "&a",
                             "*a",
                             "@a",
                             "`a",
                             "%a",
                             "|",
                             ">",
                             "'",
                             "\"",
                             "{a}",
                             "[a]",
                             "a,b",
                             "<<",
                             "=",
                             " leading",
                             "trailing ",
                             "a\tb",
                             "\ttab",
                             "one\n",
                             "one\ntwo",
                             "one\n\ntwo\n\n",
                             "\none",
                             " one\ntwo",
                             "one\n two\n",
                             "a\r\nb",
                             "\\n",
                             "\x1b[31m",
                             "é",
                             "日本語",
                             "😀",
                             "\xc2\x85",
                             "\xe2\x80\xa8",
                             "\xef\xbb\xbf"
                             "a",
                             "---\na: b\n---\n",
                             "docker.io/a/b:latest",
                             "512Mi",
                             "10.0.0.0/8",
                             ""}) {
        texts.push_back({{"text", text}});
        texts.push_back(text);
    }
    const Json extension{{"name", "texts"}, {"extension", texts}};
    const Json config{
        {"current-context", "main"},
        {"clusters", {{{"name", "c"}, {"cluster", {{"server", "https://h"}, {"extensions", {extension}}}}}}},
        {"contexts", {{{"name", "main"}, {"context", {{"cluster", "c"}, {"user", "u"}}}}}},
        {"users", {{{"name", "u"}, {"user", Json::object()}}}}};
    if (kube_program().empty()) FAIL() << "HERMES_TEST_KUBE is not set; tests/node/node env prints it";
    const std::string file = ::testing::TempDir() + "/dumped_kubeconfig.yaml";
    std::ofstream(file) << dump_yaml(config);
    const auto read = theirs({.file = file}, {{"HOME", "/nonexistent"}});
    ASSERT_TRUE(read);
    EXPECT_EQ(at(*read, "/clusters/0/cluster/extensions/0/extension").dump(1), texts.dump(1));
}

}  // namespace
}  // namespace hermesctl::kube
