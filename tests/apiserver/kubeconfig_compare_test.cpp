// An independent judge of how kubeconfig files are read: kubectl itself, over files plain and odd.
// HERMES_TEST_KUBE (of `tests/node/node env`) is the program that it is part of.
#include "../src/kube/kubeconfig_file.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

const std::string directory = std::string(TESTS_DIR) + "/testdata/kubeconfig";

struct Asked {
    std::string file{};
    std::string context{};
};

std::string kube_program() {
    const char* path = std::getenv("HERMES_TEST_KUBE");
    return path == nullptr ? "" : path;
}

/// The configuration, or nothing when it was refused.
std::optional<Json> theirs(const Asked& request, const Environment& environment) {
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

Json extension_list(const Json& by_name) {
    Json list = Json::array();
    for (const auto& item : by_name.items())
        list.push_back({{"name", item.key()}, {"extension", item.value()}});
    return list;
}

/// The file behind FIELD moves into FIELD-data.
void embed(Json& stanza, const std::string& field) {
    const std::string path = text_at(stanza, "/" + field);
    if (path.empty()) return;
    const auto content = read_file(path);
    if (!content || stanza.contains(field + "-data")) throw Error(ExitCode::usage, path);
    stanza.erase(field);
    if (!content->empty()) stanza[field + "-data"] = base64_encode(*content);
}

Json flat(const Stanza& stanza, std::initializer_list<const char*> files) {
    Json value = stanza.value;
    for (const char* field : files)
        embed(value, field);
    if (value.contains("extensions")) value["extensions"] = extension_list(value["extensions"]);
    return value;
}

const Stanza* find(const std::map<std::string, Stanza>& stanzas, const std::string& name) {
    if (name.empty()) return nullptr;
    const auto found = stanzas.find(name);
    if (found == stanzas.end()) throw Error(ExitCode::usage, fmt::format("there is no \"{}\"", name));
    return &found->second;
}

/// What we read, as `kubectl config view --minify --flatten --raw -o json` prints it.
Json flattened(const Asked& request, const Environment& environment) {
    const Kubeconfig config = read_kubeconfig(request.file, environment);
    const std::string name = request.context.empty() ? config.current_context : request.context;
    const Stanza* context = find(config.contexts, name);
    if (context == nullptr) throw Error(ExitCode::usage, "no current-context");
    const std::string cluster_name = text_at(context->value, "/cluster");
    const std::string user_name = text_at(context->value, "/user");
    Json out{{"kind", "Config"},
             {"apiVersion", "v1"},
             {"current-context", name},
             {"clusters", nullptr},
             {"users", nullptr}};
    Json flat_context = flat(*context, {});
    for (const char* field : {"cluster", "user"})
        flat_context.emplace(field, "");
    out["contexts"] = Json::array({{{"name", name}, {"context", flat_context}}});
    if (const Stanza* cluster = find(config.clusters, cluster_name)) {
        Json value = flat(*cluster, {"certificate-authority"});
        value.emplace("server", "");
        out["clusters"] = Json::array({{{"name", cluster_name}, {"cluster", value}}});
    }
    if (const Stanza* user = find(config.users, user_name)) {
        const Json value = flat(*user, {"client-certificate", "client-key"});
        out["users"] = Json::array({{{"name", user_name}, {"user", value}}});
    }
    return out;
}

std::optional<Json> ours(const Asked& request, const Environment& environment) {
    try {
        return flattened(request, environment);
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

void expect_same(const Asked& request, const Environment& environment) {
    if (kube_program().empty()) FAIL() << "HERMES_TEST_KUBE is not set; tests/node/node env prints it";
    auto expected = theirs(request, environment);
    auto actual = ours(request, environment);
    ASSERT_EQ(actual.has_value(), expected.has_value()) << (actual     ? *actual
                                                            : expected ? *expected
                                                                       : Json())
                                                               .dump(1);
    if (!expected) return;
    make_absolute(*expected);
    for (const char* unread : {"preferences", "extensions"})
        expected->erase(unread);
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
