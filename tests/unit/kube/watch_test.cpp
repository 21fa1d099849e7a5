// The watch: what it asks for, what it keeps, and how it goes on after every kind of end.
#include "hermesctl/kube/watch.hpp"

#include "support/fake_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::no_answer;
using ::testing::Not;
using testing::refusal;

TEST(EventSplitterTest, LinesMayBeSplitAnywhere) {
    EventSplitter splitter;
    EXPECT_TRUE(splitter.feed("{\"a\"").empty());
    EXPECT_THAT(splitter.feed(":1}\n\n{\"b\":2}\n{"), ElementsAre("{\"a\":1}", "{\"b\":2}"));
    EXPECT_THAT(splitter.feed("}\r\n"), ElementsAre("{}\r"));
}

TEST(EventSplitterTest, AnEndlessLineIsRefused) {
    EventSplitter splitter;
    const std::string part(16u << 20, 'x');
    splitter.feed(part);
    splitter.feed(part);
    EXPECT_THROW(splitter.feed("x"), Error);
}

Json pod(const std::string& name, const std::string& version) {
    return {{"metadata", {{"name", name}, {"resourceVersion", version}}}};
}

/// A list with one pod of this name, or none.
net::Response list_of(const std::string& version, const std::string& name = {}) {
    Json list{{"metadata", {{"resourceVersion", version}}}, {"items", Json::array()}};
    if (!name.empty()) list["items"].push_back(pod(name, version));
    return answer(200, list.dump());
}

struct WatchTest : ::testing::Test {
    testing::FakeClock clock{};
    testing::FakeTransport net{clock};
    Objects objects{};
    Watch watch{net, clock, "Pod", "hermes", objects, {"app=hermes", ""}};

    void run(std::chrono::milliseconds time = 100ms) {
        const Clock::Time end = clock.now() + time;
        do {
            watch.advance();
            net.poll(std::min<std::chrono::milliseconds>(100ms, time));
            watch.advance();
        } while (clock.now() < end);
    }
    net::Transport::Ticket stream() { return net.in_flight().at(0); }
    void event(const std::string& type, const Json& object) {
        net.chunk(stream(), Json{{"type", type}, {"object", object}}.dump() + "\n");
        run();
    }
    /// Listed and watching.
    void sync() {
        net.answers = {list_of("10", "a")};
        run();
        ASSERT_TRUE(watch.synced());
    }
    const std::string& asked(std::size_t index) { return net.requests.at(index).target; }
    const std::string& asked_last() { return net.requests.back().target; }
};

TEST_F(WatchTest, ListsThenWatchesFromThere) {
    EXPECT_FALSE(watch.synced());
    sync();
    EXPECT_EQ(asked(0), "/api/v1/namespaces/hermes/pods?labelSelector=app%3Dhermes");
    EXPECT_EQ(asked(1),
              "/api/v1/namespaces/hermes/pods?labelSelector=app%3Dhermes&watch=1&allowWatchBookmarks=true"
              "&timeoutSeconds=55&resourceVersion=10");
    EXPECT_EQ(net.requests[1].timeout, 0ms);
    EXPECT_GT(net.requests[1].idle, 55s);
    EXPECT_EQ(objects.at("a").at("kind"), "Pod");
}

TEST_F(WatchTest, FollowsEvents) {
    sync();
    event("ADDED", pod("b", "11"));
    event("MODIFIED", pod("a", "12"));
    EXPECT_EQ(objects.size(), 2u);
    EXPECT_EQ(objects.at("a"), pod("a", "12"));
    event("DELETED", pod("b", "13"));
    EXPECT_EQ(objects.size(), 1u);
}

TEST_F(WatchTest, WhoOwnsTheFieldsIsNotKept) {
    sync();
    Json owned = pod("a", "12");
    owned["metadata"]["managedFields"] = Json::array({{{"manager", "kubelet"}}});
    event("MODIFIED", owned);
    EXPECT_EQ(objects.at("a"), pod("a", "12"));
}

TEST_F(WatchTest, ADeletionOfWhatIsNotThereIsNone) {
    sync();
    event("DELETED", pod("unknown", "14"));
    EXPECT_EQ(objects.size(), 1u);
}

TEST_F(WatchTest, GoesOnFromTheLastVersionAfterAnOrderlyEnd) {
    sync();
    event("BOOKMARK", pod("", "40"));
    EXPECT_EQ(objects.size(), 1u);
    net.finish(stream(), answer(200, ""));
    run(2s);
    EXPECT_EQ(net.requests.size(), 3u);
    EXPECT_THAT(asked(2), HasSubstr("resourceVersion=40"));
    EXPECT_EQ(watch.trouble(), "");
}

TEST_F(WatchTest, DoesNotSpinWhenTheServerEndsEachWatchAtOnce) {
    net.answers = {list_of("10")};
    for (int i = 0; i < 1000; ++i) {
        net.answers.push_back(answer(200, ""));
    }
    run(10s);
    EXPECT_LE(net.requests.size(), 13u);
    EXPECT_GE(net.requests.size(), 9u);
}

TEST_F(WatchTest, AnExpiredVersionLeadsBackToTheList) {
    sync();
    net.answers = {list_of("90", "c")};
    event("ERROR", Json{{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}});
    run(2s);
    EXPECT_THAT(asked(2), Not(HasSubstr("watch=1")));
    EXPECT_THAT(asked(3), HasSubstr("resourceVersion=90"));
    EXPECT_EQ(objects.size(), 1u);
    EXPECT_EQ(objects.count("c"), 1u);
    EXPECT_EQ(watch.trouble(), "");
}

TEST_F(WatchTest, AnHttp410DoesTheSame) {
    sync();
    net.finish(stream(), refusal(410, "Expired", "too old resource version"));
    run(2s);
    EXPECT_THAT(asked(2), Not(HasSubstr("watch=1")));
    EXPECT_FALSE(watch.refused());
}

TEST_F(WatchTest, ABrokenConnectionIsSaidAndMended) {
    sync();
    net.finish(stream(), no_answer("connection reset", true));
    run();
    EXPECT_THAT(watch.trouble(), HasSubstr("connection reset"));
    EXPECT_EQ(objects.size(), 1u);
    net.answers = {no_answer("connection refused"), list_of("20")};
    run(4s);
    EXPECT_EQ(watch.trouble(), "");
    EXPECT_TRUE(objects.empty());
    EXPECT_THAT(asked_last(), HasSubstr("resourceVersion=20"));
}

TEST_F(WatchTest, ASilentConnectionIsTakenForDead) {
    sync();
    run(80s);
    EXPECT_THAT(asked(2), Not(HasSubstr("watch=1")));
}

TEST_F(WatchTest, WaitsWithGrowingPausesForAnOverloadedServer) {
    for (int i = 0; i < 100; ++i) {
        net.answers.push_back(refusal(429, "TooManyRequests", "slow down"));
    }
    run(60s);
    EXPECT_LE(net.requests.size(), 9u);
    EXPECT_GE(net.requests.size(), 5u);
    EXPECT_EQ(watch.trouble(), "slow down");
}

TEST_F(WatchTest, WaitsAsLongAsTheServerAsks) {
    net.answers = {answer(429, "later", {{"Retry-After", "20"}})};
    run(19s);
    EXPECT_EQ(net.requests.size(), 1u);
    run(2s);
    EXPECT_EQ(net.requests.size(), 2u);
}

TEST_F(WatchTest, AnErrorEventIsWaitedOut) {
    sync();
    event("ERROR",
          Json{{"code", 500}, {"message", "etcd leader changed"}, {"details", {{"retryAfterSeconds", 5}}}});
    EXPECT_EQ(watch.trouble(), "etcd leader changed");
    EXPECT_EQ(net.cancelled.size(), 1u);
    run(4s);
    EXPECT_EQ(net.requests.size(), 2u);
    run(2s);
    EXPECT_EQ(net.requests.size(), 3u);
}

TEST_F(WatchTest, NoPermissionIsFinal) {
    net.answers = {refusal(403, "Forbidden", "pods is forbidden")};
    run(30s);
    ASSERT_TRUE(watch.refused());
    EXPECT_EQ(watch.refused()->code(), ExitCode::denied);
    EXPECT_EQ(net.requests.size(), 1u);
}

TEST_F(WatchTest, RefusedCredentialsAreFinalAtTheFirstList) {
    net.answers = {refusal(401, "Unauthorized", "Unauthorized")};
    run(10s);
    EXPECT_TRUE(watch.refused()) << "the transport has asked for fresh ones already";
    EXPECT_EQ(net.requests.size(), 1u);
}

TEST_F(WatchTest, ARefusalAfterTheFirstListIsWaitedOut) {
    for (const int status : {401, 403, 404}) {
        Objects others;
        Watch other(net, clock, "Pod", "hermes", others);
        const auto go = [&](std::chrono::milliseconds time) {
            for (const Clock::Time end = clock.now() + time; clock.now() < end;) {
                other.advance();
                net.poll(100ms);
                other.advance();
            }
        };
        net.answers = {list_of("10")};
        go(100ms);
        ASSERT_TRUE(other.synced());
        const std::size_t before = net.requests.size();
        net.finish(stream(), refusal(status, "Forbidden", "not yet"));
        net.answers = {refusal(403, "Forbidden", "not yet"), refusal(403, "Forbidden", "not yet"),
                       list_of("20")};
        go(100ms);
        EXPECT_EQ(other.trouble().substr(other.trouble().size() - 7), "not yet");
        go(9s);
        EXPECT_FALSE(other.refused()) << status;
        EXPECT_EQ(other.trouble(), "") << "the list is in again";
        EXPECT_EQ(net.requests.size(), before + 4) << "three lists, then the watch";
        EXPECT_THAT(asked_last(), HasSubstr("watch=1"));
    }
}

TEST_F(WatchTest, ARefusalThatStaysIsFinalAfterHalfAMinute) {
    sync();
    for (int i = 0; i < 100; ++i) {
        net.answers.push_back(refusal(403, "Forbidden", "pods is forbidden"));
    }
    net.finish(stream(), refusal(403, "Forbidden", "pods is forbidden"));
    run(29s);
    EXPECT_FALSE(watch.refused());
    run(3s);
    ASSERT_TRUE(watch.refused());
    EXPECT_EQ(watch.refused()->code(), ExitCode::denied);
    EXPECT_GE(net.requests.size(), 6u);
    EXPECT_LE(net.requests.size(), 9u);
    run(60s);
    EXPECT_LE(net.requests.size(), 9u) << "it is not asked again";
}

TEST_F(WatchTest, ListsThatWorkDoNotHideThatNoWatchDoes) {
    for (int i = 0; i < 100; ++i) {
        net.answers.push_back(list_of("10"));
        net.answers.push_back(refusal(403, "Forbidden", "pods is forbidden: cannot watch"));
    }
    run(32s);
    EXPECT_TRUE(watch.refused());
}

TEST_F(WatchTest, WhatIsNoEventEndsTheStream) {
    sync();
    net.chunk(stream(), "<html>\n");
    run();
    EXPECT_EQ(watch.trouble(), "a watch event is not JSON");
    EXPECT_EQ(net.cancelled.size(), 1u);
    net.answers = {list_of("30")};
    run(2s);
    EXPECT_EQ(watch.trouble(), "");
}

TEST_F(WatchTest, AnEndedWatchLeavesNothingInFlight) {
    {
        Objects others;
        Watch other(net, clock, "Secret", "hermes", others);
        other.advance();
        EXPECT_EQ(net.in_flight().size(), 1u);
    }
    EXPECT_TRUE(net.in_flight().empty());
}

}  // namespace
}  // namespace hermesctl::kube
