#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/input.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/base/nearest.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/base/scrub.hpp"
#include "support/scratch.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <initializer_list>
#include <istream>
#include <iterator>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hermesctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Error, IsTheSameButForOneThing) {
    Error told(ExitCode::failed, "what", "hint");
    told.during("a frame");
    const Error other = told.with_code(ExitCode::denied).with_message("another").with_hint("another hint");
    EXPECT_EQ(other.code(), ExitCode::denied);
    EXPECT_EQ(other.message(), "another");
    EXPECT_EQ(other.hint(), "another hint");
    EXPECT_EQ(other.trail(), told.trail());
}

TEST(Crypto, Base64GoesThereAndBack) {
    for (const std::string text : {"", "a", "ab", "abc", "a longer text with \xff bytes"}) {
        EXPECT_EQ(base64_decode(base64_encode(text)), text);
    }
    EXPECT_EQ(base64_encode("hermes"), "aGVybWVz");
    EXPECT_EQ(base64_decode("aGVy\nbWVz"), "hermes");
    EXPECT_FALSE(base64_decode("a"));
    EXPECT_FALSE(base64_decode("a?=="));
}

TEST(Crypto, KnownDigests) {
    EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(hmac_sha256_hex("key", "The quick brown fox jumps over the lazy dog"),
              "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
    EXPECT_NE(random_bytes(16), random_bytes(16));
}

TEST(Clock, TimesAreReadAndWritten) {
    const auto time = parse_rfc3339("2026-01-31T10:20:30.250000Z");
    EXPECT_EQ(rfc3339(time), "2026-01-31T10:20:30.250000Z");
    EXPECT_EQ(parse_rfc3339("2026-01-31T12:20:30+02:00"), parse_rfc3339("2026-01-31T10:20:30Z"));
    EXPECT_EQ(parse_rfc3339("soon"), Clock::Wall{});
    EXPECT_EQ(short_duration(seconds{130}), "2m10s");
    EXPECT_EQ(short_duration(seconds{5}), "5s");
    EXPECT_EQ(short_duration(milliseconds{1500}), "1500ms");
}

TEST(Clock, TimesThatDoNotFitAreTheNearestThatDo) {
    const auto never = parse_rfc3339("9999-12-31T23:59:59.999999Z");
    EXPECT_GT(never, parse_rfc3339("2261-12-31T23:59:59Z"));
    EXPECT_EQ(rfc3339(never).substr(0, 4), "2262");
    EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z"), Clock::Wall{});
}

TEST(Clock, ASleepOutlastsAChangeOfTheWindow) {
    catch_interrupts();
    std::thread window([sleeper = ::pthread_self()] {
        for (int i = 0; i < 5; ++i) {
            std::this_thread::sleep_for(milliseconds{20});
            ::pthread_kill(sleeper, SIGWINCH);
        }
    });
    const auto start = system_clock().now();
    system_clock().sleep(milliseconds{300});
    EXPECT_GE(system_clock().now() - start, milliseconds{300});
    window.join();
    EXPECT_TRUE(take_window_change());
}

TEST(Scrub, TokensGoWhereverTheyStand) {
    EXPECT_EQ(scrub("The token `999:BAD` was rejected"), "The token `***` was rejected");
    EXPECT_EQ(scrub("https://api.telegram.org/bot123456789:AAE-x/getMe"),
              "https://api.telegram.org/bot***/getMe");
    EXPECT_EQ(scrub("123456789:AAEabcdefghijklmnopqrstuvwxyz"), "***");
    EXPECT_EQ(scrub("file/bot123456789:BBEabcdefghijklmnopqrstuvwxyz/x"), "file/bot***/x");
    EXPECT_EQ(scrub("{\"a\\n123456789:AAEabcdefghijklmnopqrstuvwxyz\"}"), "{\"a\\n***\"}");
    EXPECT_EQ(scrub("\x1b[31m123456789:AAEabcdefghijklmnopqrstuvwxyz"), "\x1b[31m***");
    EXPECT_EQ(scrub("Authorization: Bearer abcdefghijkl.mno"), "Authorization: Bearer ***");
    EXPECT_EQ(scrub("Authorization: Basic YW5uOnBhc3M="), "Authorization: Basic ***");
    EXPECT_EQ(scrub("{\"basic YW5uOnBhc3M\"}"), "{\"basic ***\"}");
    EXPECT_EQ(scrub("key sk-abcdefghijklmnopqrst rest"), "key *** rest");
    EXPECT_EQ(scrub("sk-abcdefghijklmnopqrst,\"sk-proj-abcdefghijklmnop\""), "***,\"***\"");
    EXPECT_EQ(scrub("-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nx"), "***\nx");
}

/// In two parts, so that nobody who looks for keys takes them for real ones.
std::string key_of(const char* lead, std::size_t rest) {
    return lead + std::string(rest - 1, 'a') + "1";
}

TEST(Scrub, KeysOfWellKnownServicesGo) {
    for (const std::string& key :
         {"AKIA" + std::string("IOSFODNN7EXAMPLE"), "ASIA" + std::string("IOSFODNN7EXAMPLE"),
          key_of("xoxa-", 10), key_of("xoxb-", 10), key_of("xoxe-", 10), key_of("xoxp-", 10),
          key_of("xoxr-", 10), key_of("xoxs-", 10), key_of("xapp-", 10), key_of("ghp_", 36),
          key_of("gho_", 36), key_of("ghr_", 36), key_of("ghs_", 36), key_of("ghu_", 36),
          key_of("github_pat_", 82), key_of("glpat-", 20), key_of("AIza", 35)}) {
        EXPECT_EQ(scrub("it is \"" + key + "\", keep it"), "it is \"***\", keep it") << key;
        EXPECT_TRUE(has_secret_shape("?key=" + key)) << key;
    }
    EXPECT_EQ(scrub("AKIA" + std::string("IOSFODNN7EXAMPLE/20260131/s3")), "***");
}

TEST(Scrub, JsonWebTokensAndWebhooksGo) {
    const std::string token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0";
    EXPECT_EQ(scrub("it is '" + token + "'"), "it is '***'");
    EXPECT_TRUE(has_secret_shape("token=" + token));
    EXPECT_EQ(scrub("https://hooks.slack.com/services/T01234567/B01234567/abcdefghijkl"),
              "https://hooks.slack.com/***");
    for (const char* url :
         {"hooks.slack.com/workflows/T01234567/A01234567/12345", "hooks.slack.com/triggers/E012/12345/abc",
          "discord.com/api/webhooks/123456789/abc-def_0", "discordapp.com/api/v10/webhooks/123456789/abc"})
        EXPECT_TRUE(has_secret_shape(fmt::format("https://{}", url))) << url;
    for (const std::string text :
         {"eyJhbGciOiJIUzI1NiJ9", "https://hooks.slack.com/services/${SLACK_HOOK}",
          "https://discord.com/api/webhooks/", "https://discord.com/api/v10/users/1234567890",
          "see hooks.slack.com/services/."}) {
        EXPECT_EQ(scrub(text), text);
        EXPECT_FALSE(has_secret_shape(text)) << text;
    }
}

/// Whatever the agent writes.
TEST(Scrub, ALongTextIsLookedThroughOnce) {
    const auto start = std::chrono::steady_clock::now();
    for (const char* part : {"AKIA/", "eyJ/", "discord.com/api/"}) {
        std::string text;
        while (text.size() < (1u << 17))
            text += part;
        EXPECT_EQ(scrub(text).size(), text.size()) << part;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Scrub, WhatOnlyBeginsLikeAKeyStays) {
    for (const std::string& text : {std::string("AKIAIOSFODNN7EXAMPL"), std::string("AKIAIOSFODNN7EXAMPLE1"),
                                    std::string("akiaiosfodnn7example"), std::string("xAKIAIOSFODNN7EXAMPLE"),
                                    std::string("ASIA and EMEA"), key_of("xoxb-", 9), key_of("xoxz-", 20),
                                    key_of("ghp_", 29), key_of("ghx_", 36), key_of("github_pat_", 29),
                                    key_of("glpat-", 19), key_of("AIza", 34), key_of("aglpat-", 20)}) {
        EXPECT_EQ(scrub(text), text);
        EXPECT_FALSE(has_secret_shape(text)) << text;
    }
}

TEST(Scrub, PasswordsInUrlsGo) {
    EXPECT_EQ(scrub("proxy http://me:hunter@proxy:3128/a, socks5://:b@c@d"),
              "proxy http://me:***@proxy:3128/a, socks5://:***@d");
    EXPECT_TRUE(has_secret_shape("postgres://me:hunter@db/bot")) << "a password may be a word";
    EXPECT_EQ(scrub("http://me:Hunter@a http://me:{b@c http://me:PASS@word@d"),
              "http://me:***@a http://me:***@c http://me:***@d");
    for (const std::string text :
         {"ssh://git@host.example/a", "http://me:@proxy", "http://me:${PROXY_PASSWORD}@proxy",
          "http://me:$(PROXY_PASSWORD)@proxy", "http://me:<password>@proxy", "http://me:[password]@proxy",
          "http://me:%PASS_1%@proxy", "http://me:***@proxy", "https://USER:MY_PASSWORD@host",
          "http://{user}:{password}@host", "http://me:$pass@proxy", "http://host:80/a@b",
          "http://host:80?a@b", "http://[fd00::1]:80 me@host", "http://host:80\nme@host", "a: b@c"}) {
        EXPECT_EQ(scrub(text), text);
        EXPECT_FALSE(has_secret_shape(text)) << text;
    }
}

TEST(Scrub, OrdinaryTextStays) {
    for (const std::string text :
         {"at 10:20:30 on 192.168.1.1:6443", "hermes:latest", "connection refused",
          "pod/helpdesk-assistant-7d9f8b6c5d-x2x4z is not ready", "Basic authentication is off",
          "the Basic Constraints of the certificate"}) {
        EXPECT_EQ(scrub(text), text);
    }
}

TEST(Scrub, AnImageStaysWhatItIs) {
    const std::string sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    for (const std::string& image :
         {"docker.io/nousresearch/hermes-agent@sha256:" + sum, "a@sha512:" + sum + sum,
          std::string("registry.example:5000/agent2:nightly-20260131-0123456789abcdef"),
          std::string("registry.example/my-2:nightly-20260131-0123456789abcdef"),
          std::string("docker.io/me/bot2:latest")}) {
        EXPECT_EQ(scrub("image: " + image), "image: " + image);
        EXPECT_FALSE(has_secret_shape(image));
    }
}

TEST(Scrub, RememberedValuesAndTheirBase64Go) {
    remember_secret("correct horse battery");
    EXPECT_EQ(scrub("it is correct horse battery!"), "it is ***!");
    EXPECT_EQ(scrub(base64_encode("correct horse battery")), "***");
}

TEST(Scrub, ShapesAreKnownWithoutAnythingRemembered) {
    EXPECT_TRUE(has_secret_shape("it is 123456789:AAabcdefghijklmnopqrstuvwxyz01234567"));
    EXPECT_TRUE(has_secret_shape("Authorization: Bearer abcdefgh12345678"));
    remember_secret("plain-but-remembered");
    EXPECT_FALSE(has_secret_shape("plain-but-remembered"));
    EXPECT_FALSE(has_secret_shape("Bearer ${COLONY_PAT}"));
    EXPECT_FALSE(has_secret_shape("Bearer authentication of RFC 6750")) << "without a digit of its own";
}

TEST(Scrub, ChildrenInheritNoRememberedSecret) {
    remember_secret("of-the-environment");
    const Environment all{{"KEY", "of-the-environment"},
                          {"BASE64", base64_encode("of-the-environment")},
                          {"PATH", "/usr/bin"},
                          {"EMPTY", ""}};
    EXPECT_EQ(without_secrets(all), (Environment{{"PATH", "/usr/bin"}, {"EMPTY", ""}}));
}

/// How a child ends that gets these signals: 0 when it was told, 1 when not, 128 + N when signal N ended it.
/// `as_before`: what it was told to do with them when it began.
int end_after(std::initializer_list<int> signals, void (*as_before)(int) = SIG_DFL) {
    const pid_t child = ::fork();
    if (child == 0) {
        for (const int number : signals)
            ::signal(number, as_before);
        catch_interrupts();
        for (const int number : signals)
            ::raise(number);
        ::_exit(interrupted() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    for (char byte = 0; ::read(interrupt_fd(), &byte, 1) == 1;) {  // its pipe may be ours
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(Interrupt, IsWhateverEndsAProgramFromOutside) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
        EXPECT_EQ(end_after({number}), 0) << number;
    EXPECT_EQ(end_after({SIGTERM, SIGTERM}), 128 + SIGTERM) << "nobody is stuck";
    EXPECT_EQ(end_after({SIGHUP, SIGHUP}), 0) << "of one terminal that is gone both shell and kernel tell";
}

TEST(Interrupt, StaysIgnoredWhereItWas) {
    for (const int number : {SIGHUP, SIGQUIT})
        EXPECT_EQ(end_after({number}, SIG_IGN), 1) << number;
}

TEST(Process, OutputAndExitCode) {
    const auto result = run_process({.argv = {"sh", "-c", "cat; printf hello; exit 3"}});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->exit_code, 3);
    EXPECT_EQ(result->output, "hello");
}

TEST(Process, BrokenPipeEndsTheChildAsEverywhere) {
    ::signal(SIGPIPE, SIG_IGN);  // as main does
    const auto result = run_process({.argv = {"sh", "-c", "kill -PIPE $$; echo survived"}});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->output, "");
    EXPECT_EQ(result->exit_code, 128 + SIGPIPE);
}

TEST(Process, WhatInterruptsUsEndsTheChildAsEverywhere) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        ::signal(number, SIG_DFL);  // nohup may have started the test
        catch_interrupts();
        const std::string script = fmt::format("ulimit -c 0; kill -{} $$; echo survived", number);
        const auto result = run_process({.argv = {"sh", "-c", script}});
        ASSERT_TRUE(result);
        EXPECT_EQ(result->output, "");
        EXPECT_EQ(result->exit_code, 128 + number);
    }
}

TEST(Process, HangingOneIsEnded) {
    const auto result = run_process({.argv = {"sleep", "60"}, .timeout = milliseconds{50}});
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->timed_out);
}

TEST(Process, OneThatClosesItsOutputIsWaitedForWithinTheLimit) {
    const auto start = system_clock().now();
    const auto late =
        run_process({.argv = {"sh", "-c", "exec >&-; exec sleep 60"}, .timeout = milliseconds{200}});
    ASSERT_TRUE(late);
    EXPECT_TRUE(late->timed_out);
    EXPECT_LT(system_clock().now() - start, seconds{20});
    const auto busy = run_process({.argv = {"sh", "-c", "echo x; exec >&-; sleep 0.2; exit 3"}});
    ASSERT_TRUE(busy);
    EXPECT_EQ(busy->exit_code, 3);
    EXPECT_EQ(busy->output, "x\n");
}

TEST(Process, CtrlCEndsTheWaitForOneThatHasClosedItsOutput) {
    catch_interrupts();
    std::thread key([] {
        system_clock().sleep(milliseconds{200});
        ::raise(SIGINT);
    });
    const auto start = system_clock().now();
    EXPECT_THROW(run_process({.argv = {"sh", "-c", "exec >&-; exec sleep 60"}}), Error);
    EXPECT_LT(system_clock().now() - start, seconds{20});
    key.join();
}

TEST(Process, AFailureIsOneAlsoWhereTheEndOfChildrenIsIgnored) {
    const ProcessSpec failing{.argv = {"sh", "-c", "exit 3"}};
    ::signal(SIGCHLD, SIG_IGN);  // as a parent may bequeath it
    EXPECT_NE(run_process(failing)->exit_code, 0);
    catch_interrupts();
    EXPECT_EQ(run_process(failing)->exit_code, 3);
}

TEST(Process, MissingProgramIsNothing) {
    EXPECT_FALSE(run_process({.argv = {"no-such-program-here"}}));
    EXPECT_FALSE(run_process({.argv = {"/no/such/program"}}));
}

TEST(Process, OneThatCannotBeStartedSaysWhy) {
    const testing::Scratch folder;
    const auto why = [&](const std::string& name, const std::string& path) {
        const auto result = run_process({.argv = {name}, .environment = {{"PATH", path}}});
        return result ? result->not_started : "missing";
    };
    const std::string plain = folder.write("plain", "#!/bin/sh\n");
    EXPECT_EQ(why(plain, ""), "Permission denied");
    EXPECT_EQ(why("plain", folder.path()), "Permission denied");
    folder.write("other/plain", "#!/bin/sh\n", true);
    EXPECT_EQ(why("plain", folder.path() + ":" + folder.path("other")), "") << "the next one of the path";
    EXPECT_EQ(why(folder.write("junk", "junk", true), ""), "Exec format error");
    EXPECT_EQ(why(folder.write("script", "#!/no/such/shell\n", true), ""), "its interpreter does not exist");
    EXPECT_EQ(why("other", folder.path()), "missing") << "a directory is no program";
    EXPECT_EQ(why(plain + "/below", ""), "missing");
}

TEST(Process, OnlyTheGivenEnvironment) {
    const auto result =
        run_process({.argv = {"env"}, .environment = {{"PATH", "/usr/bin:/bin"}, {"A", "b"}}});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->output, "A=b\nPATH=/usr/bin:/bin\n");
}

/// Both ends of a pipe.
class Input : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(::pipe(ends.data()), 0); }
    void TearDown() override {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    std::string read_all() {
        DescriptorInput input(ends[0]);
        std::istream stream(&input);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    std::array<int, 2> ends{};
};

TEST_F(Input, IsReadToItsEnd) {
    const std::string sent(200'000, 'x');
    std::thread writer([&] {
        EXPECT_EQ(::write(ends[1], sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
        ::close(std::exchange(ends[1], -1));
    });
    EXPECT_EQ(read_all(), sent);
    writer.join();
}

TEST_F(Input, EndsWithTheFirstCtrlC) {
    catch_interrupts();
    std::thread key([] {
        system_clock().sleep(milliseconds{100});
        ::raise(SIGINT);
    });
    EXPECT_EQ(read_all(), "");
    key.join();
    EXPECT_THROW(throw_if_interrupted(), Error);
}

TEST(File, MissingIsNothingAndDirectoryAnError) {
    EXPECT_FALSE(read_file("/no/such/file"));
    EXPECT_THROW(read_file("/tmp"), Error);
    EXPECT_THROW(read_file("/etc/passwd", 3), Error);
}

TEST(WriteFile, LeavesTheOldOneUntilTheNewOneIsWhole) {
    namespace fs = std::filesystem;
    const testing::Scratch folder;
    const std::string path = folder.write("out", "old");
    write_file(path, "new");
    EXPECT_EQ(read_file(path), "new");
    fs::create_symlink(path, folder.path("link"));
    write_file(folder.path("link"), "through the link");
    EXPECT_EQ(read_file(path), "through the link");
    EXPECT_TRUE(fs::is_symlink(folder.path("link")));
    const auto left = std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
    EXPECT_EQ(left, 2) << "nothing half-written stays";
}

TEST(WriteFile, KeepsTheModeOfAFileAndMakesOneAsTheUmaskSays) {
    namespace fs = std::filesystem;
    const testing::Scratch folder;
    const std::string kept = folder.write("kept", "old");
    fs::permissions(kept, static_cast<fs::perms>(0604));
    const mode_t before = ::umask(0027);
    write_file(kept, "new");
    write_file(folder.path("fresh"), "new");
    ::umask(before);
    EXPECT_EQ(fs::status(kept).permissions(), static_cast<fs::perms>(0604));
    EXPECT_EQ(fs::status(folder.path("fresh")).permissions(), static_cast<fs::perms>(0640));
}

TEST(WriteFile, SaysWhyItCannot) {
    const testing::Scratch folder;
    for (const std::string& path : {folder.path("no/such/out"), folder.path(), std::string("/dev/full")}) {
        try {
            write_file(path, "text");
            FAIL() << path;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::failed);
            EXPECT_EQ(error.message().find("cannot write " + path + ": "), 0u) << error.message();
        }
    }
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/full")) << "written into, not replaced";
}

TEST(Nearest, FindsTypingErrorsOnly) {
    const std::vector<std::string_view> words{"deploy", "status", "start", "stop", "list"};
    EXPECT_EQ(nearest("deplyo", words), "deploy");
    EXPECT_EQ(nearest("stauts", words), "status");
    EXPECT_EQ(nearest("lst", words), "list");
    EXPECT_EQ(nearest("lsit", std::vector<std::string_view>{"wait", "list"}), "list")
        << "a swap is one error";
    EXPECT_EQ(nearest("STOP", words), "stop");
    EXPECT_EQ(nearest("backup", words), "");
    EXPECT_EQ(nearest("", words), "");
}

}  // namespace
}  // namespace hermesctl
