// Our streams and the remote ones: every byte, in bounded memory, and whose fault an end is.
#include "cli/stream_exec.hpp"

#include "support/fake_api.hpp"

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hermesctl::cli {
namespace {

using hermesctl::testing::FakeApi;
using hermesctl::testing::FakeClock;
using hermesctl::testing::FakeProcess;
using hermesctl::testing::FakeTransport;
using hermesctl::testing::socket_on;
using hermesctl::testing::Wire;

class Pipe {
  public:
    Pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
    ~Pipe() { close(0), close(1); }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    int in() const { return ends_[0]; }
    int out() const { return ends_[1]; }
    void close(int end) {
        const int fd = std::exchange(ends_.at(static_cast<std::size_t>(end)), -1);
        if (fd >= 0) ::close(fd);
    }
    int adopt(int fd) { return ends_[0] = fd; }
    void put(const std::string& text) {
        EXPECT_EQ(::write(out(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    std::string text() {
        close(1);
        std::string all;
        std::array<char, 4096> block{};
        for (ssize_t n = 0; (n = ::read(in(), block.data(), block.size())) > 0;)
            all.append(block.data(), static_cast<std::size_t>(n));
        return all;
    }

  private:
    std::array<int, 2> ends_{-1, -1};
};

class StreamExec : public ::testing::Test {
  protected:
    StreamExec() { api_.put({{"kind", "Pod"}, {"metadata", {{"name", "p"}, {"namespace", "n"}}}}); }

    int run(bool input = false, bool tty = false) {
        return stream_exec(
            transport_, clock_,
            {.ns = "n", .pod = "p", .container = "hermes", .argv = {"x"}, .input = input, .tty = tty},
            {.in = in_.in(), .out = out_.out(), .err = err_.out()});
    }
    void serve(const std::shared_ptr<Wire>& wire) {
        transport_.open = [wire](const net::Request&, std::span<const std::string>) {
            return net::Upgrade{socket_on(wire), {.status = 101}};
        };
    }

    FakeClock clock_;
    FakeTransport transport_{clock_};
    FakeApi api_{transport_};
    Pipe in_;
    Pipe out_;
    Pipe err_;
};

TEST_F(StreamExec, KeepsTheTwoOutputsApartAndPassesTheExitCode) {
    api_.on_exec = [](FakeProcess& process) {
        process.out(std::string("a\0b\xff\n", 5));
        process.err("trouble\n");
        process.exit(42);
    };
    EXPECT_EQ(run(), 42);
    EXPECT_EQ(out_.text(), std::string("a\0b\xff\n", 5));
    EXPECT_EQ(err_.text(), "trouble\n");
}

TEST_F(StreamExec, PassesInputOnAndEndsIt) {
    const std::string input("\0\x01\xff binary", 10);
    in_.put(input);
    in_.close(1);
    std::string seen;
    api_.on_exec = [&seen](FakeProcess& process) {
        if (!process.input_ended) return;
        seen = process.input;
        process.exit(0);
    };
    EXPECT_EQ(run(true), 0);
    EXPECT_EQ(seen, input);
}

TEST_F(StreamExec, ReadsNoInputThatIsNotWanted) {
    in_.put("for the next program");
    api_.on_exec = [](FakeProcess& process) { process.exit(0); };
    EXPECT_EQ(run(false), 0);
    in_.close(1);
    EXPECT_EQ(in_.text(), "for the next program");
}

TEST_F(StreamExec, AnInputThatCannotBeReadHasEnded) {
    in_.close(0);
    ASSERT_GE(in_.adopt(::open("/dev/null", O_WRONLY | O_CLOEXEC)), 0);
    api_.on_exec = [](FakeProcess& process) {
        if (process.input_ended) process.exit(0);
    };
    EXPECT_EQ(run(true), 0);
}

TEST_F(StreamExec, WaitsWhileTheConnectionTakesNoMore) {
    in_.put("later");
    in_.close(1);
    auto wire = std::make_shared<Wire>();
    wire->queued = 1u << 20;
    std::size_t sent_while_full = 0;
    serve(wire);
    transport_.after(std::chrono::seconds{5}, [&] {
        sent_while_full = wire->sent.size();
        wire->queued = 0;
    });
    transport_.after(std::chrono::seconds{10}, [&] {
        wire->incoming.push_back("\x03{\"status\":\"Success\"}");
        wire->ended = true;
    });
    EXPECT_EQ(run(true), 0);
    EXPECT_EQ(sent_while_full, 0U);
    const std::string end("\xff\0", 2);
    EXPECT_THAT(wire->sent, ::testing::ElementsAre(std::string("\0later", 6), end));
}

TEST_F(StreamExec, AFloodOfOutputLeavesTheKeyboardItsTurn) {
    in_.put("\x03");
    out_.close(1);
    out_.close(0);
    ASSERT_GE(out_.adopt(::open("/dev/null", O_WRONLY | O_CLOEXEC)), 0);
    auto wire = std::make_shared<Wire>();
    wire->incoming.assign(100, "\x01" + std::string(8192, 'y'));
    std::size_t unread = 0;
    wire->on_send = [&](const std::string& message) {
        unread = wire->incoming.size();
        EXPECT_EQ(message, std::string("\0\x03", 2));
        wire->incoming = {"\x03{\"status\":\"Success\"}"};
    };
    serve(wire);
    EXPECT_EQ(stream_exec(transport_, clock_, {.ns = "n", .pod = "p", .argv = {"yes"}, .input = true},
                          {.in = in_.in(), .out = out_.in(), .err = err_.out()}),
              0);
    EXPECT_GT(unread, 0U) << "Ctrl-C came when all was over";
}

TEST_F(StreamExec, AnInputWithoutEndLeavesTheOtherSideItsTurn) {
    in_.close(0);
    ASSERT_GE(in_.adopt(::open("/dev/zero", O_RDONLY | O_CLOEXEC)), 0);
    auto wire = std::make_shared<Wire>();
    int sent = 0;
    wire->on_send = [&sent](const std::string&) {
        if (++sent > 100) throw std::runtime_error("it never listens");
    };
    serve(wire);
    transport_.after(std::chrono::seconds{5}, [&] { wire->incoming = {"\x03{\"status\":\"Success\"}"}; });
    EXPECT_EQ(run(true), 0);
}

TEST_F(StreamExec, EndsQuietlyWhenNobodyReadsTheOutput) {
    ::signal(SIGPIPE, SIG_IGN);
    out_.close(0);
    api_.on_exec = [](FakeProcess& process) { process.out("y\n"); };
    EXPECT_EQ(run(), broken_pipe);
}

TEST_F(StreamExec, SaysWhyTheOutputCannotBeWritten) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    try {
        write_all(full, "text");
        FAIL() << "/dev/full took it";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::exec_failed);
        EXPECT_THAT(error.message(), ::testing::HasSubstr("No space left"));
    }
    ::close(full);
}

TEST_F(StreamExec, ALostConnectionIsNeverASuccess) {
    api_.on_exec = [](FakeProcess& process) {
        process.out("half");
        process.lose("the connection was lost");
    };
    EXPECT_THROW(run(), Error);
    EXPECT_EQ(out_.text(), "half");
}

TEST_F(StreamExec, TellsTheSizeOnlyToATerminal) {
    std::vector<std::string> sent;
    api_.on_exec = [&](FakeProcess& process) {
        sent = process.wire->sent;
        if (!sent.empty()) process.exit(0);
    };
    EXPECT_EQ(run(true, true), 0);
    EXPECT_THAT(sent.front(), ::testing::StartsWith("\x04{"));
    EXPECT_THAT(transport_.requests.front().target, ::testing::HasSubstr("stderr=false&tty=true"));
}

}  // namespace
}  // namespace hermesctl::cli
