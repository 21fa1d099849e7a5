// The watch on a real API server: etcd compaction, a server that is killed, rights.
#include "hermesctl/kube/watch.hpp"

#include "apiserver/fixture.hpp"

#include <functional>

#include <gmock/gmock.h>

namespace hermesctl::kube {
namespace {

using namespace std::chrono_literals;

/// Asks the server to end watches after a second, and remembers what was asked.
class ShortWatches : public net::Transport {
  public:
    explicit ShortWatches(net::Transport& inner) : inner_(inner) {}

    Ticket start(net::Request request, net::Handler handler) override {
        const std::string key = "timeoutSeconds=";
        const std::size_t place = request.target.find(key);
        if (place != std::string::npos) request.target.replace(place + key.size(), 2, "1");
        targets.push_back(request.target);
        return inner_.start(std::move(request), std::move(handler));
    }
    void cancel(Ticket ticket) override { inner_.cancel(ticket); }
    void poll(std::chrono::milliseconds at_most, std::span<const net::Wake> wakes) override {
        inner_.poll(at_most, wakes);
    }
    net::Upgrade upgrade(net::Request request, std::span<const std::string> protocols) override {
        return inner_.upgrade(std::move(request), protocols);
    }

    std::vector<std::string> targets{};

  private:
    net::Transport& inner_;
};

struct WatchTest : testing::ApiserverTest {
    /// False when it did not come true within `limit`.
    static bool until(Watch& watch, net::Transport& transport, const std::function<bool()>& done,
                      std::chrono::milliseconds limit = 30s) {
        for (const Clock::Time end = system_clock().now() + limit; system_clock().now() < end;) {
            watch.advance();
            if (done()) return true;
            transport.poll(100ms);
            watch.advance();
        }
        return done();
    }
};

TEST_F(WatchTest, SeesWhatIsThereAndWhatHappens) {
    client().create(config_map({{"a", "1"}}, "one")).value();
    testing::Session session(server->admin());
    Objects objects;
    Watch watch(*session.transport, system_clock(), "ConfigMap", ns, objects);
    ASSERT_TRUE(until(watch, *session.transport, [&] { return watch.synced(); }));
    EXPECT_EQ(objects.count("one"), 1u);
    client().create(config_map({{"a", "2"}}, "two")).value();
    EXPECT_TRUE(until(watch, *session.transport, [&] { return objects.contains("two"); }));
    EXPECT_EQ(ref_of(objects.at("two")), config_ref("two"));
    client().remove(config_ref("one"));
    EXPECT_TRUE(until(watch, *session.transport, [&] { return !objects.contains("one"); }));
    EXPECT_EQ(watch.trouble(), "");
}

TEST_F(WatchTest, GoesOnWhereTheServerEndedIt) {
    testing::Session session(server->admin());
    ShortWatches transport(*session.transport);
    Objects objects;
    Watch watch(transport, system_clock(), "ConfigMap", ns, objects);
    ASSERT_TRUE(until(watch, transport, [&] { return transport.targets.size() >= 4; }));
    client().create(config_map({{"a", "1"}}, "late")).value();
    EXPECT_TRUE(until(watch, transport, [&] { return objects.contains("late"); }));
    int lists = 0;
    for (const std::string& target : transport.targets) {
        if (target.find("watch=1") == std::string::npos) ++lists;
    }
    EXPECT_EQ(lists, 1);
}

TEST_F(WatchTest, ListsAgainAfterACompaction) {
    client().create(config_map({{"a", "1"}}, "one")).value();
    testing::Session session(server->admin());
    ShortWatches transport(*session.transport);
    Objects objects;
    Watch watch(transport, system_clock(), "ConfigMap", ns, objects);
    ASSERT_TRUE(until(watch, transport, [&] { return watch.synced(); }));
    until(
        watch, transport, [] { return false; }, 300ms);  // the watch stands
    system_clock().sleep(2s);                            // the server ends it; nobody looks
    client().remove(config_ref("one"));
    for (int i = 0; i < 3; ++i) {
        client().apply(config_map({{"n", std::to_string(i)}}, "two")).value();
    }
    server->compact(version(config_ref("two")));
    const std::size_t before = transport.targets.size();
    ASSERT_TRUE(until(watch, transport, [&] { return objects.contains("two"); }));
    EXPECT_FALSE(objects.contains("one"));
    ASSERT_GE(transport.targets.size(), before + 2);
    EXPECT_NE(transport.targets[before].find("watch=1"), std::string::npos) << "it should first try to go on";
    EXPECT_EQ(transport.targets[before + 1].find("watch=1"), std::string::npos) << "then list";
}

TEST_F(WatchTest, SurvivesAServerThatIsKilled) {
    testing::Session session(server->admin());
    Objects objects;
    Watch watch(*session.transport, system_clock(), "ConfigMap", ns, objects);
    ASSERT_TRUE(until(watch, *session.transport, [&] { return watch.synced(); }));
    server->kill();
    EXPECT_TRUE(until(watch, *session.transport, [&] { return !watch.trouble().empty(); }));
    EXPECT_FALSE(watch.refused());
    server->start();
    client().create(config_map({{"a", "1"}}, "after")).value();
    EXPECT_TRUE(until(watch, *session.transport, [&] { return objects.contains("after"); }));
    EXPECT_EQ(watch.trouble(), "");
}

TEST_F(WatchTest, MayNotBeReadIsFinal) {
    testing::Session nobody(server->nobody());
    Objects objects;
    Watch watch(*nobody.transport, system_clock(), "Secret", ns, objects);
    ASSERT_TRUE(until(watch, *nobody.transport, [&] { return watch.refused().has_value(); }));
    EXPECT_EQ(watch.refused()->code(), ExitCode::denied);
    EXPECT_FALSE(watch.synced());
}

}  // namespace
}  // namespace hermesctl::kube
