#include "../../../src/cli/errors.hpp"

#include "hermesctl/base/scrub.hpp"

#include <sstream>

#include <gmock/gmock.h>

namespace hermesctl::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string printed(const Error& error, bool colour = false) {
    std::ostringstream out;
    print_error(error, out, colour);
    return out.str();
}

TEST(PrintError, HasTheContractsForm) {
    Error error(ExitCode::denied, "deployment/hermes may not be read", "ask for the role");
    error.during("reading deployment/hermes");
    error.during("deploying hermes");
    EXPECT_EQ(printed(error),
              "error: deployment/hermes may not be read\n  while reading deployment/hermes\n"
              "  while deploying hermes\n  hint: ask for the role\n");
}

TEST(PrintError, LeavesOutWhatIsNotThere) {
    EXPECT_EQ(printed({ExitCode::failed, "no"}), "error: no\n");
    EXPECT_EQ(printed({ExitCode::failed, ""}), "error: \n");
}

TEST(PrintError, ScrubsAndNeutralises) {
    remember_secret("hunter2-hunter2");
    Error error(ExitCode::failed, "bad hunter2-hunter2\x1b[2J", "use hunter2-hunter2");
    error.during("trying hunter2-hunter2");
    EXPECT_THAT(printed(error), Not(HasSubstr("hunter2")));
    EXPECT_THAT(printed(error), Not(HasSubstr("\x1b")));
}

TEST(PrintError, IndentsFurtherLines) {
    EXPECT_EQ(printed({ExitCode::failed, "two causes:\na\nb"}), "error: two causes:\n  a\n  b\n");
}

TEST(PrintError, ColoursOnlyTheWord) {
    EXPECT_EQ(printed({ExitCode::failed, "no"}, true), "\x1b[31merror:\x1b[0m no\n");
}

TEST(ErrorJson, CarriesCodeMessageHintAndTrail) {
    Error error(ExitCode::timeout, "late", "wait");
    error.during("waiting");
    EXPECT_EQ(
        error_json(error),
        kube::Json::parse(R"({"error":{"code":5,"message":"late","hint":"wait","while":["waiting"]}})"));
    EXPECT_TRUE(error_json({ExitCode::failed, "x"})["error"]["while"].is_array());
}

GlobalFlags bob() {
    GlobalFlags flags;
    flags.ns = "bots";
    flags.name = "bob";
    return flags;
}

TEST(CompletedHint, NamesTheInstance) {
    EXPECT_EQ(completed_hint("hermesctl teardown --delete-data", bob()),
              "hermesctl teardown -n bots --name bob --delete-data");
    EXPECT_EQ(completed_hint("look, then: hermesctl wait\nor hermesctl exec -- ls", bob()),
              "look, then: hermesctl wait -n bots --name bob\nor hermesctl exec -n bots --name bob -- ls");
    EXPECT_EQ(completed_hint("hermesctl wait", {}), "hermesctl wait");
}

TEST(CompletedHint, LeavesProseAndHelpAlone) {
    for (const char* text : {"", "hermesctl", "hermesctl ", "hermesctl --help", "hermesctl list --help",
                             "hermesctl did not make it", "another hermesctl works on this",
                             "hermesctl version", "hermesctl list shows what is there"}) {
        EXPECT_EQ(completed_hint(text, bob()), text);
    }
}

TEST(CompletedHint, KeepsWhatIsSaidAlready) {
    EXPECT_EQ(completed_hint("hermesctl teardown --name eve", bob()),
              "hermesctl teardown -n bots --name eve");
    EXPECT_EQ(completed_hint("hermesctl start; hermesctl stop --namespace=x", bob()),
              "hermesctl start -n bots --name bob; hermesctl stop --name bob --namespace=x");
}

TEST(CompletedHint, NamesTheClusterAndTheFileAsAShellReadsThem) {
    GlobalFlags flags;
    flags.kubeconfig = "/home/me/my config";
    flags.context = "it's";
    flags.file = "hermes.yaml";
    EXPECT_EQ(completed_hint("hermesctl wait", flags),
              "hermesctl wait --kubeconfig '/home/me/my config' --context 'it'\\''s' -f hermes.yaml");
    EXPECT_EQ(completed_hint("hermesctl list", flags),
              "hermesctl list --kubeconfig '/home/me/my config' --context 'it'\\''s'");
}

TEST(CompletedHint, LogsHasAnotherMeaningForTheShortFlagOfAFile) {
    GlobalFlags flags;
    flags.file = "hermes.yaml";
    EXPECT_EQ(completed_hint("hermesctl logs", flags), "hermesctl logs --file hermes.yaml");
    EXPECT_EQ(completed_hint("hermesctl logs -f", flags), "hermesctl logs --file hermes.yaml -f");
    EXPECT_EQ(completed_hint("hermesctl wait", flags), "hermesctl wait -f hermes.yaml");
}

TEST(CompletedHint, NamesTheFileOfThisRunWhereOneIsToBeDeployed) {
    const char* text = "write it into your hermes.yaml, then hermesctl deploy -f FILE";
    EXPECT_EQ(completed_hint(text, {}), text);
    EXPECT_EQ(completed_hint(text, bob()),
              "write it into your hermes.yaml, then hermesctl deploy -n bots --name bob -f FILE");
    GlobalFlags flags;
    flags.file = "bots.yaml";
    const std::string named = "write it into your hermes.yaml, then hermesctl deploy -f bots.yaml";
    EXPECT_EQ(completed_hint(text, flags), named);
    EXPECT_EQ(completed_hint(named, flags), named) << "once";
    EXPECT_EQ(completed_hint("kubectl apply -f FILE", flags), "kubectl apply -f FILE");
}

TEST(CompletedHint, WhatTheFileWouldUndoIsSaidToBeInIt) {
    GlobalFlags flags;
    flags.file = "h.yaml";
    flags.in_file = {"--image", "--secret COLONY_PAT"};
    const std::string note = "; h.yaml sets that, too: change it there";
    const std::string image = "hermesctl deploy -f h.yaml --image IMAGE" + note;
    EXPECT_EQ(completed_hint("hermesctl deploy --image IMAGE", flags), image);
    EXPECT_EQ(completed_hint(image, flags), image) << "once";
    EXPECT_EQ(completed_hint("hermesctl deploy --secret COLONY_PAT=-, then wait; or\nhermesctl wait", flags),
              "hermesctl deploy -f h.yaml --secret COLONY_PAT=-, then wait" + note +
                  "; or\nhermesctl wait -f h.yaml");
    for (const char* other :
         {"hermesctl deploy -f h.yaml --storage-size SIZE",
          "hermesctl deploy -f h.yaml --secret COLONY_PATH=-", "change it by --image IMAGE"})
        EXPECT_EQ(completed_hint(other, flags), other);
    flags.file.clear();
    EXPECT_EQ(completed_hint("hermesctl deploy --image IMAGE", flags), "hermesctl deploy --image IMAGE");
}

TEST(CompletedHint, ACommandOfKubectlMeansTheClusterOfThisRun) {
    GlobalFlags flags = bob();
    const char* resume = "kubectl -n bots rollout resume deployment/bob, then: hermesctl wait";
    EXPECT_EQ(completed_hint(resume, flags),
              "kubectl -n bots rollout resume deployment/bob, then: hermesctl wait -n bots --name bob");
    flags.kubeconfig = "my config";
    flags.context = "home";
    const std::string cluster = "--kubeconfig 'my config' --context home";
    EXPECT_EQ(completed_hint(resume, flags),
              "kubectl " + cluster + " -n bots rollout resume deployment/bob, then: hermesctl wait " +
                  cluster + " -n bots --name bob");
    EXPECT_EQ(completed_hint("kubectl -n bots exec pod -- ls; or kubectl get nodes --context=work", flags),
              "kubectl " + cluster +
                  " -n bots exec pod -- ls; or kubectl --kubeconfig 'my config' get nodes "
                  "--context=work");
    for (const char* prose : {"fields that kubectl owned are taken over", "what kubectl applies", "kubectl "})
        EXPECT_EQ(completed_hint(prose, flags), prose);
}

TEST(CompletedHint, DefaultsNeedNoFlagButWithAFile) {
    GlobalFlags flags;
    flags.ns = "hermes";
    EXPECT_EQ(completed_hint("hermesctl wait", flags), "hermesctl wait");
    flags.file = "bots.yaml";
    EXPECT_EQ(completed_hint("hermesctl wait", flags), "hermesctl wait -f bots.yaml -n hermes");
}

}  // namespace
}  // namespace hermesctl::cli
