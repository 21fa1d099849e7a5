#include "hermesctl/hermes/install.hpp"

#include "hermesctl/hermes/ownership.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Outcome;
using kube::text_at;

/// What others own of it, and since when; status is none of a plan's business.
Json others(const Json& object) {
    Json entries = Json::array();
    for (const Json& entry : at(object, "/metadata/managedFields")) {
        const bool ours = text_at(entry, "/manager") == kube::field_manager;
        if (!ours && text_at(entry, "/subresource") != "status") entries.push_back(entry);
    }
    return entries;
}

/// What ends this leaves it open what became of each, once they are on their way.
auto sent(const std::vector<Json>& objects, const auto& send) {
    try {
        return send();
    } catch (Error& error) {
        std::vector<std::string> titles;
        for (const Json& object : objects)
            titles.push_back(title(kube::ref_of(object)));
        const bool in_doubt = dynamic_cast<const net::NotSent*>(&error) == nullptr;
        error.during(fmt::format("applying {}{}", fmt::join(titles, ", "),
                                 in_doubt ? ": any of it may have been applied" : ", which was not sent"));
        throw;
    }
}

class Installer {
  public:
    Installer(kube::Client& client, const InstallOptions& options, Reporter& reporter)
        : client_(client), options_(options), reporter_(reporter) {}

    /// A forced apply takes all that is in its way: nothing may have come there since the plan was made.
    void refuse_if_changed(const std::vector<const Step*>& steps) {
        for (const Step* step : steps) {
            if (!step->forced && !step->replaces_strategy) continue;
            const Json now = client_.get(step->ref).value_or(Json());
            // A stop has our own name.
            const bool same_count = at(now, "/spec/replicas") == at(step->live, "/spec/replicas");
            if (same_count && others(now) == others(step->live)) continue;
            throw Error(ExitCode::failed,
                        fmt::format("{} was changed meanwhile by somebody else", title(step->ref)),
                        "run this again: it plans anew");
        }
    }

    void apply(const std::vector<const Step*>& steps) {
        for (const bool forced : {false, true}) {
            std::vector<Json> objects;
            std::vector<const Step*> changed;
            for (const Step* step : steps) {
                if (step->change == Change::same || step->forced != forced) continue;
                objects.push_back(step->object);
                changed.push_back(step);
            }
            // Forced only where the plan named the owner; another conflict came since then: a failure.
            const auto outcomes = sent(
                objects, [&] { return client_.apply_all(objects, {.dry_run = false, .force = forced}); });
            for (std::size_t i = 0; i < outcomes.size(); ++i) {
                finish(*changed[i], outcomes[i]);
            }
        }
        if (first_error_) throw_first();
    }

    /// A RollingUpdate's parameters would make "Recreate" invalid, and server-side apply cannot remove them.
    void prepare_strategy(const Step& step) {
        if (!step.replaces_strategy) return;
        const Json body{{"spec", {{"strategy", {{"type", "Recreate"}, {"rollingUpdate", nullptr}}}}}};
        sent({step.object}, [&] { return client_.patch(step.ref, kube::Patch::merge, body); }).value();
        if (options_.changed) options_.changed(step.ref);
    }

    void tell_what_was_applied(Error& error) const {
        if (!applied_.empty())
            error.during(fmt::format("after {} had been applied", fmt::join(applied_, ", ")));
    }

  private:
    void finish(const Step& step, const Outcome& outcome) {
        if (outcome.error) return fail(step, *outcome.error);
        applied_.push_back(title(step.ref));
        if (options_.changed) options_.changed(step.ref);
        reporter_.on({"apply", title(step.ref), State::done, outcome.created ? "created" : "changed"});
        if (const auto error = release(step, *outcome.object)) fail(step, *error);
    }

    void fail(const Step& step, const kube::ApiError& error) {
        reporter_.on({"apply", title(step.ref), State::failed, error.message()});
        if (first_error_) return;
        first_error_ = error;
        first_failed_ = title(step.ref);
    }

    /// kubectl's entries give up what is ours now; somebody else's change in between only means one more try.
    std::optional<kube::ApiError> release(const Step& step, Json object) {
        std::optional<kube::ApiError> error;
        for (int attempt = 0; attempt < 5; ++attempt) {
            const Json fields = released_fields(object);
            if (fields.is_null()) return std::nullopt;
            const Json body =
                Json::array({{{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", fields}},
                             {{"op", "replace"},
                              {"path", "/metadata/resourceVersion"},
                              {"value", text_at(object, "/metadata/resourceVersion")}}});
            error = client_.patch(step.ref, kube::Patch::json, body).error;
            if (!error || error->http() != 409) return error;
            const Outcome now = client_.look(step.ref);
            if (!now.object) return now.error;
            object = *now.object;
        }
        return error;
    }

    [[noreturn]] void throw_first() {
        kube::ApiError error = *first_error_;
        error.during("applying " + first_failed_);
        throw error;
    }

    kube::Client& client_;
    const InstallOptions& options_;
    Reporter& reporter_;
    std::optional<kube::ApiError> first_error_{};
    std::string first_failed_{};
    std::vector<std::string> applied_{};
};

}  // namespace

void install(kube::Client& client, const Plan& plan, const InstallOptions& options, Reporter& reporter) {
    std::vector<const Step*> name_space;
    std::vector<const Step*> middle;
    std::vector<const Step*> deployment;
    for (const Step& step : plan.steps) {
        (step.ref.kind == "Namespace"    ? name_space
         : step.ref.kind == "Deployment" ? deployment
                                         : middle)
            .push_back(&step);
    }
    Installer installer(client, options, reporter);
    try {
        installer.refuse_if_changed(name_space);
        installer.apply(name_space);
        if (options.after_namespace) options.after_namespace();
        installer.refuse_if_changed(middle);
        installer.apply(middle);
        for (const Step* step : deployment) {
            if (step->change == Change::same) continue;
            installer.refuse_if_changed({step});
            if (options.before_deployment) options.before_deployment();  // it takes its time, and writes, too
            installer.refuse_if_changed({step});
            installer.prepare_strategy(*step);
        }
        installer.apply(deployment);
    } catch (Error& error) {
        installer.tell_what_was_applied(error);
        throw;
    }
}

}  // namespace hermesctl::hermes
