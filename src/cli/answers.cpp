#include "answers.hpp"

#include "hermesctl/hermes/secrets.hpp"

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using namespace std::chrono_literals;
using hermes::Lifelines;

bool refused(int status) {
    return status == 401 || status == 403;
}

/// The provider did not say yes or no: worth another try before it is called a failure.
bool unclear(int status) {
    return status == 0 || status == 429 || status >= 500;
}

Error key_refused(const ModelChoice& model, const std::string& key, const Lifelines& lines) {
    return Error(ExitCode::failed,
                 fmt::format("the bot is connected but mute: {} refuses {} ({}) {}", model.provider, key,
                             lines.model_status, lines.model_reason),
                 fmt::format("hermesctl deploy --secret {}=-", key));
}

Error provider_silent(const ModelChoice& model, const Lifelines& lines) {
    const std::string what = lines.model_status == 0 ? "cannot be reached from the pod"
                                                     : fmt::format("answers with {}", lines.model_status);
    return Error(
        ExitCode::failed,
        fmt::format("the bot is connected but mute: {} {} {}", model.provider, what, lines.model_reason),
        "hermesctl wait, once the provider is back");
}

void tell(Session& session, const ModelChoice& model, const Lifelines& lines) {
    Reporter& story = session.story();
    if (lines.webhook) {
        story.on({"wait", "webhook", State::warning,
                  "a webhook is set for this bot and takes its messages away; remove it with the Bot API's "
                  "deleteWebhook"});
    }
    if (!lines.live_provider.empty() && lines.live_provider != model.provider) {
        story.on({"wait", "provider", State::warning,
                  fmt::format("the live config.yaml uses {}, not {}: it was changed after the first start",
                              lines.live_provider, model.provider)});
    }
    const bool asked = lines.model_status > 0;
    story.on({"wait", "model", asked ? State::done : State::warning,
              asked ? fmt::format("{} accepts the key", model.provider)
                    : fmt::format("hermesctl does not know how to ask {}, so its key is not checked",
                                  model.provider)});
}

std::string check(Session& session, const hermes::Names& names, const std::string& pod,
                  const ModelChoice& model) {
    const std::string key = hermes::key_of_provider(model.provider);
    session.story().on({"wait", "model", State::waiting, "asking " + model.provider});
    Lifelines lines;
    for (int attempt = 0; attempt < 3; ++attempt) {
        if (attempt > 0) session.clock().sleep(2s);
        lines = hermes::check_lifelines(session.transport(), session.clock(), names.ns, pod, model.provider,
                                        key, model.model);
        if (!unclear(lines.model_status) && lines.bot_status != 0) break;
    }
    if (refused(lines.bot_status)) {
        throw Error(ExitCode::failed, "Telegram rejected the bot token",
                    "get the token from @BotFather, then: hermesctl deploy --secret TELEGRAM_BOT_TOKEN=-");
    }
    if (refused(lines.model_status)) throw key_refused(model, key, lines);
    if (unclear(lines.model_status)) throw provider_silent(model, lines);
    tell(session, model, lines);
    return lines.bot;
}

}  // namespace

kube::Json Answers::json() const {
    kube::Json json{{"answering", true}, {"pod", pod}};
    json["bot"] = bot.empty() ? kube::Json() : kube::Json(bot);
    return json;
}

std::string Answers::text() const {
    return bot.empty() ? "the bot answers\n" : fmt::format("the bot answers: message {}\n", bot);
}

Answers wait_for_answers(Session& session, const hermes::Names& names, const ModelChoice& model, bool checked,
                         hermes::HeldLease* lease) {
    hermes::WaitOptions options;
    options.timeout = session.flags().timeout;
    if (lease != nullptr) options.each_round = [lease] { lease->renew_if_due(); };
    Answers answers{.pod = hermes::wait_until_answers(session.client(), names, options, session.story())};
    if (!checked) return answers;
    try {
        answers.bot = check(session, names, answers.pod, model);
    } catch (const kube::ApiError& error) {
        if (error.code() != ExitCode::denied) throw;
        session.story().on(
            {"wait", "model", State::warning, "pods/exec is not allowed, so the key is not checked"});
    }
    return answers;
}

}  // namespace hermesctl::cli
