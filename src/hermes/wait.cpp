#include "hermesctl/hermes/wait.hpp"

#include "hermesctl/kube/watch.hpp"
#include "items.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::Json;
using kube::Watch;

constexpr auto patience_with_refusals = 30s;

/// Everything that the wait looks at, kept current by watches: in the snapshot itself what may be much.
class Watches {
  public:
    Watches(kube::Client& client, const Names& names, Snapshot& now)
        : now_(now),
          deployments_(client.transport(), client.clock(), "Deployment", names.ns, deployment_,
                       {.label = {}, .field = "metadata.name=" + names.name}),
          sets_(client.transport(), client.clock(), "ReplicaSet", names.ns, now.replica_sets,
                names.replica_sets().selector),
          pods_(client.transport(), client.clock(), "Pod", names.ns, now.pods, names.pods().selector),
          claims_(client.transport(), client.clock(), "PersistentVolumeClaim", names.ns, claim_,
                  {.label = {}, .field = "metadata.name=" + names.claim().name}),
          events_(client.transport(), client.clock(), "Event", names.ns, now.events) {}

    void advance() {
        for (Watch* watch : {&deployments_, &sets_, &pods_, &claims_, &events_}) {
            watch->advance();
        }
    }

    /// What is not in the snapshot as it comes.
    void fill() {
        now_.deployment = only(deployment_);
        now_.claim = only(claim_);
    }

    /// What the verdict cannot do without is in. Claim and events only explain: it goes on without them where
    /// they may not be read, or the server has no answer to give.
    bool synced() const {
        return deployments_.synced() && sets_.synced() && pods_.synced() && settled(claims_) &&
               settled(events_);
    }

    void check_refused() const {
        for (const Watch* watch : {&deployments_, &sets_, &pods_}) {
            if (watch->refused()) throw *watch->refused();
        }
    }

    /// Why something that it cannot do without is not in; else, why the pods are not heard of any more.
    const std::string& trouble() const {
        for (const Watch* watch : {&deployments_, &sets_}) {
            if (!watch->synced() && !watch->trouble().empty()) return watch->trouble();
        }
        return pods_.trouble();
    }

  private:
    static bool settled(const Watch& watch) {
        return watch.synced() || watch.refused() || !watch.trouble().empty();
    }

    Snapshot& now_;
    Objects deployment_{};
    Objects claim_{};
    Watch deployments_;
    Watch sets_;
    Watch pods_;
    Watch claims_;
    Watch events_;
};

/// The session in the newest pod; opened when its container runs, again when it breaks.
class Questioner {
  public:
    Questioner(kube::Client& client, std::string ns) : client_(client), ns_(std::move(ns)) {}

    void look_at(const Assessment& assessment) {
        if (assessment.pod != pod_ || !assessment.running) {
            session_.reset();
            failure_.clear();
            starts_ = 0;
            last_start_ = 0;
            refused_since_.reset();
        }
        pod_ = assessment.pod;
        if (assessment.running && !session_ && !denied_ && client_.clock().now() >= not_before_) open();
    }

    /// Takes in what the session has said.
    void listen() {
        if (!session_) return;
        const bool alive = session_->pump();
        if (session_->facts()) {
            failure_.clear();
            count(session_->facts()->start_time);
        }
        if (alive) return;
        if (std::string failure = session_->failure(); !failure.empty()) failure_ = std::move(failure);
        session_.reset();
        not_before_ = client_.clock().now() + 500ms;
    }

    std::optional<AgentFacts> facts() const { return session_ ? session_->facts() : std::nullopt; }
    int gateway_starts() const { return starts_; }
    bool denied() const { return denied_; }
    /// Why nothing is heard; the last reason, until something is.
    const std::string& failure() const { return failure_; }
    std::optional<net::Wake> wake() const {
        return session_ ? std::optional<net::Wake>(session_->wake()) : std::nullopt;
    }

  private:
    void count(std::int64_t start_time) {
        if (start_time > last_start_) ++starts_;
        last_start_ = std::max(last_start_, start_time);  // of two that live, the older is no new one
    }

    void open() {
        try {
            session_ = std::make_unique<AgentWatch>(client_.transport(), ns_, pod_);
            refused_since_.reset();
        } catch (const kube::ApiError& error) {
            denied_ = is_denied(error);
            failure_ = error.message();
            not_before_ = client_.clock().now() + 1s;  // not there yet, or the kubelet is busy
        }
        tried_ = true;
    }

    /// Final at the first try; later it may be a server that has just started (see kube/watch.cpp).
    bool is_denied(const kube::ApiError& error) {
        if (error.http() != 403) {
            refused_since_.reset();
            return false;
        }
        const auto now = client_.clock().now();
        if (!refused_since_) refused_since_ = now;
        return !tried_ || now - *refused_since_ >= patience_with_refusals;
    }

    kube::Client& client_;
    std::string ns_;
    std::string pod_{};
    std::unique_ptr<AgentWatch> session_{};
    int starts_ = 0;
    std::int64_t last_start_ = 0;
    bool tried_ = false;
    bool denied_ = false;
    std::optional<Clock::Time> refused_since_{};
    std::string failure_{};
    Clock::Time not_before_{};
};

NotAnswering trouble_error(const Trouble& trouble) {
    NotAnswering error(
        {ExitCode::failed, fmt::format("{}: {}", trouble.subject, trouble.cause), trouble.hint}, trouble);
    error.during("waiting until the bot answers");
    return error;
}

class Waiter {
  public:
    Waiter(kube::Client& client, const Names& names, const WaitOptions& options, Reporter& reporter)
        : client_(client),
          options_(options),
          reporter_(reporter),
          watches_(client, names, now_),
          questioner_(client, names.ns),
          last_round_(client.clock().now()),
          heard_(last_round_) {}

    std::string run() {
        while (true) {
            watches_.advance();
            client_.transport().poll(100ms, wakes());
            watches_.advance();
            watches_.check_refused();
            if (options_.each_round) options_.each_round();
            if (watches_.synced() && round()) return assessment_.pod;
            keep_time();
            reporter_.tick();
        }
    }

  private:
    std::vector<net::Wake> wakes() const {
        const auto wake = questioner_.wake();
        return wake ? std::vector<net::Wake>{*wake} : std::vector<net::Wake>{};
    }

    bool round() {
        watches_.fill();
        questioner_.listen();
        now_.moment = client_.server_time();
        now_.agent = questioner_.facts();
        now_.gateway_starts = questioner_.gateway_starts();
        now_.exec_denied = questioner_.denied();
        now_.exec_failure = questioner_.failure();
        assessment_ = assess(now_);
        questioner_.look_at(assessment_);
        show();
        if (assessment_.answering) return true;
        judge();
        return false;
    }

    void show() {
        for (const Event& event : assessment_.rows) {
            Event& last = shown_[event.subject];
            if (last.state == event.state && last.detail == event.detail && !last.subject.empty()) continue;
            last = event;
            reporter_.on(event);
        }
    }

    /// Ends the wait when the trouble cannot heal, or has lasted for too long.
    void judge() {
        const auto now = client_.clock().now();
        const auto& trouble = assessment_.trouble;
        if (!trouble || trouble->kind != kind_) since_ = now;
        kind_ = trouble ? trouble->kind : "";
        if (!trouble) return;
        if (trouble->patience == Patience::none || now - since_ > options_.patience)
            throw trouble_error(*trouble);
    }

    void keep_time() {
        const auto now = client_.clock().now();
        const auto passed = std::chrono::duration_cast<Clock::Duration>(now - last_round_);
        (assessment_.pulling ? pulled_ : waited_) += passed;
        last_round_ = now;
        if (watches_.trouble().empty()) heard_ = now;
        const bool in_time = waited_ <= options_.timeout;
        if (now - heard_ > options_.patience || (!in_time && unheard())) {
            const std::string& why = watches_.trouble();
            throw Error(ExitCode::unreachable,
                        why.empty() ? "the API server has not answered" : "the API server is gone: " + why,
                        watches_.synced()
                            ? "hermesctl wait"
                            : "kubectl config view --minify shows the server's address; hermesctl wait "
                              "waits again");
        }
        if (!in_time) throw out_of_time(options_.timeout, "hermesctl wait --timeout 20m");
        if (pulled_ > options_.pull_limit) throw out_of_time(options_.pull_limit, "hermesctl wait");
    }

    /// Never, or not for most of the time.
    bool unheard() const {
        return !watches_.synced() || client_.clock().now() - heard_ > options_.timeout / 2;
    }

    NotAnswering out_of_time(Clock::Duration limit, const std::string& hint) const {
        const auto& trouble = assessment_.trouble;
        std::string why = trouble ? trouble->subject + ": " + trouble->cause : "";
        for (const Event& row : assessment_.rows) {  // the first: what comes after it waits for it
            if (why.empty() && row.state == State::waiting) why = row.subject + ": " + row.detail;
        }
        if (why.empty()) why = "nothing is known of it";
        return {
            {ExitCode::timeout,
             fmt::format("the bot does not answer after {}: {}",
                         short_duration(std::chrono::duration_cast<std::chrono::milliseconds>(limit)), why),
             trouble ? trouble->hint : hint},
            trouble.value_or(Trouble{.kind = assessment_.running ? "startup" : ""})};
    }

    kube::Client& client_;
    const WaitOptions& options_;
    Reporter& reporter_;
    Snapshot now_{};
    Watches watches_;
    Questioner questioner_;
    Assessment assessment_{};
    std::map<std::string, Event> shown_{};
    std::string kind_{};
    Clock::Time since_{};
    Clock::Time last_round_;
    Clock::Time heard_;
    Clock::Duration waited_{0};
    Clock::Duration pulled_{0};
};

/// Evicted and the like stay as objects, though nothing runs in them any more: they are not waited for. One
/// that is being deleted has ended a moment before it is gone. A Job's pod (a proof, a trial) ends itself.
std::vector<Json> awaited_ones(const Objects& pods) {
    std::vector<Json> left;
    for (const auto& [name, pod] : pods) {
        const bool stays = kube::at(pod, "/metadata/deletionTimestamp").is_null();
        const bool of_job = !kube::at(pod, "/metadata/labels/job-name").is_null();
        if (of_job || (stays && is_over(pod))) continue;
        left.push_back(pod);
    }
    return left;
}

Error too_late(const Watch& pods, const std::string& pod, const Names& names) {
    if (pod.empty()) return {ExitCode::unreachable, "the API server is gone: " + pods.trouble()};
    return {ExitCode::timeout, fmt::format("pod/{} does not go away", pod),
            fmt::format("kubectl -n {} describe pod {}", names.ns, pod)};
}

}  // namespace

std::string wait_until_answers(kube::Client& client, const Names& names, const WaitOptions& options,
                               Reporter& reporter) {
    return Waiter(client, names, options, reporter).run();
}

void wait_until_no_pods(kube::Client& client, const Names& names, Clock::Duration timeout, Reporter& reporter,
                        const std::function<void()>& each_round,
                        const std::function<void(const Json&)>& each_pod) {
    Objects found;
    Watch pods(client.transport(), client.clock(), "Pod", names.ns, found, names.pods().selector);
    const auto end = client.clock().now() + timeout;
    std::string said;
    std::set<std::string> met;
    while (true) {
        pods.advance();
        client.transport().poll(100ms);
        pods.advance();
        if (each_round) each_round();
        if (pods.refused()) throw *pods.refused();
        const std::vector<Json> left = awaited_ones(found);
        if (pods.synced() && left.empty()) break;
        for (const Json& pod : left) {
            if (each_pod && met.insert(kube::text_at(pod, "/metadata/uid")).second) each_pod(pod);
        }
        const std::string first = left.empty() ? "" : kube::text_at(left.front(), "/metadata/name");
        if (!first.empty() && first != said) {
            reporter.on({"wait", "pod", State::waiting, first + " is stopping"});
            said = first;
        }
        if (client.clock().now() > end) throw too_late(pods, first, names);
        reporter.tick();
    }
    if (!said.empty()) reporter.on({"wait", "pod", State::done, "stopped"});
}

}  // namespace hermesctl::hermes
