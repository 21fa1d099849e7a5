#include "hermesctl/hermes/teardown.hpp"

#include "hermes/inhabitants.hpp"
#include "hermes/shared_namespace.hpp"
#include "hermesctl/hermes/ownership.hpp"
#include "hermesctl/hermes/wait.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::at;
using kube::text_at;

std::string claim_text(const Json& claim) {
    return fmt::format("{} ({})", title(kube::ref_of(claim)),
                       text_at(claim, "/spec/resources/requests/storage"));
}

/// The conditions by which the namespace controller says what holds it up.
std::string namespace_troubles(const Json& name_space) {
    std::string text;
    for (const Json& condition : at(name_space, "/status/conditions")) {
        if (text_at(condition, "/status") == "True") text += "\n  " + text_at(condition, "/message");
    }
    return text;
}

class Remover {
  public:
    Remover(kube::Client& client, const Live& live, const Names& names, Clock::Time end, Reporter& reporter,
            HeldLease& lease, const std::function<void()>& changed)
        : client_(client),
          live_(live),
          names_(names),
          end_(end),
          reporter_(reporter),
          lease_(lease),
          changed_(changed) {}

    void remove(const kube::Ref& ref) {
        const Json& object = live_.of(ref);
        // What is going already (by an earlier run that was interrupted) is only waited for.
        const bool stays = at(object, "/metadata/deletionTimestamp").is_null();
        if (stays && client_.remove(ref, {.uid = text_at(object, "/metadata/uid")}) && changed_) changed_();
        removed_.push_back(ref);
    }

    void wait_until_gone() {
        for (const kube::Ref& ref : removed_) {
            const std::string uid = text_at(live_.of(ref), "/metadata/uid");
            while (true) {
                const auto object = client_.get(ref);
                if (!object || text_at(*object, "/metadata/uid") != uid) break;
                if (client_.clock().now() > end_) throw hangs(ref, *object);
                lease_.renew_if_due();
                reporter_.tick();
                client_.clock().sleep(200ms);
            }
            reporter_.on({"remove", title(ref), State::done, "removed"});
        }
        removed_.clear();
    }

    void wait_for_the_last_pod() {
        const auto left = std::chrono::duration_cast<Clock::Duration>(end_ - client_.clock().now());
        wait_until_no_pods(client_, names_, std::max(Clock::Duration{0}, left), reporter_,
                           [this] { lease_.renew_if_due(); });
    }

    /// Who came into the namespace since the plan was made. What our own objects leave behind is collected
    /// within seconds, so it is looked at for that long.
    std::string newcomers() {
        const auto end = client_.clock().now() + 10s;
        while (true) {
            std::string others = inhabitants(client_, names_);
            if (others.empty() || client_.clock().now() >= end) return others;
            lease_.renew_if_due();
            reporter_.tick();
            client_.clock().sleep(1s);
        }
    }

  private:
    Error hangs(const kube::Ref& ref, const Json& object) const {
        std::string why = ref.kind == "Namespace" ? namespace_troubles(object) : "";
        for (const Json& finalizer : at(object, "/metadata/finalizers")) {
            why += "\n  finalizer " + finalizer.get<std::string>();
        }
        return Error(ExitCode::timeout, fmt::format("{} is still being deleted{}", title(ref), why),
                     fmt::format("kubectl get {} {} -n {} -o yaml", ref.kind, ref.name, names_.ns));
    }

    kube::Client& client_;
    const Live& live_;
    const Names& names_;
    Clock::Time end_;
    Reporter& reporter_;
    HeldLease& lease_;
    const std::function<void()>& changed_;
    std::vector<kube::Ref> removed_{};
};

/// Empty when it goes.
std::string why_namespace_stays(kube::Client& client, const Names& names, const Json& name_space,
                                const Removal& removal, bool delete_data) {
    if (removal.keeps_data) return "it holds the data";
    if (is_foreign(name_space)) return "hermesctl did not make it";
    return delete_data ? inhabitants(client, names) : "it goes only with hermesctl teardown --delete-data";
}

}  // namespace

Removal plan_removal(kube::Client& client, const Live& live, const Names& names, bool delete_data) {
    std::vector<kube::Ref> all = names.all();
    all.push_back(names.previous());
    for (const kube::Ref& ref : all)
        refuse_foreign(live.of(ref), names, "teardown");
    Removal removal;
    for (const kube::Ref& ref : {names.deployment(), names.policy(), names.secret(), names.previous(),
                                 names.config(), names.account()}) {
        if (!live.of(ref).is_null()) removal.objects.push_back(ref);
    }
    const Json& claim = live.of(names.claim());
    const Json& name_space = live.of(names.name_space());
    if (!claim.is_null() && delete_data) removal.objects.push_back(names.claim());
    removal.keeps_data = !claim.is_null() && !delete_data;
    if (removal.keeps_data) removal.stays.push_back(claim_text(claim) + ": the agent's data");
    if (name_space.is_null()) return removal;
    const std::string why = why_namespace_stays(client, names, name_space, removal, delete_data);
    removal.name_space = why.empty();
    if (!why.empty()) removal.stays.push_back(fmt::format("namespace/{}: {}", names.ns, why));
    return removal;
}

Removal remove(kube::Client& client, const Live& live, const Names& names, Removal removal,
               Clock::Duration timeout, HeldLease& lease, Reporter& reporter,
               const std::function<void()>& changed) {
    Remover remover(client, live, names, client.clock().now() + timeout, reporter, lease, changed);
    for (const kube::Ref& ref : removal.objects) {
        if (ref.kind == "Deployment") remover.remove(ref);
    }
    remover.wait_until_gone();
    // The cage goes after the last pod, also where an earlier run has removed the Deployment: an agent never
    // runs without it.
    remover.wait_for_the_last_pod();
    for (const kube::Ref& ref : removal.objects) {
        if (ref.kind != "Deployment") remover.remove(ref);
    }
    remover.wait_until_gone();
    if (!removal.name_space) return removal;
    if (const std::string others = remover.newcomers(); !others.empty()) {
        removal.name_space = false;
        removal.stays.push_back(fmt::format("namespace/{}: {}", names.ns, others));
        return removal;
    }
    lease.renew();
    lease.give_up();  // else its loss with the namespace would look like another hermesctl
    remover.remove(names.name_space());
    remover.wait_until_gone();
    return removal;
}

}  // namespace hermesctl::hermes
