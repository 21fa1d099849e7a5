#include "hermesctl/hermes/lifelines.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/trial.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;
using namespace std::chrono_literals;

bool is_provider(const std::string& name) {
    try {
        keys_of_provider(name);
        return true;
    } catch (const Error&) {
        return false;
    }
}

/// The live config.yaml is the agent's, or its manager's: what it says is shown, but only a known name is put
/// into a command.
Trouble other_provider(const Lifelines& lines, const ModelChoice& wanted) {
    const std::string& live = lines.live_provider;
    const std::string keep =
        is_provider(live) ? fmt::format("; or, to keep it: hermesctl deploy --provider {}", live) : "";
    const std::string back =
        lines.managed
            ? managers_business
            : fmt::format("hermesctl exec -- hermes config set model.provider {}, then hermesctl restart",
                          wanted.provider);
    return {"provider", "provider",
            fmt::format("{} uses the provider {}, not {}",
                        lines.managed ? "/etc/hermes/config.yaml" : "the live config.yaml on the volume",
                        scrub(live), wanted.provider),
            back + keep, Patience::none};
}

Trouble mute(const std::string& cause, std::string hint, Patience patience = Patience::none) {
    return {"mute", "model", "the bot is connected but mute: " + cause, std::move(hint), patience};
}

/// The key is to blame, and nothing else.
Trouble refused(const std::string& cause, std::string hint) {
    Trouble trouble = mute(cause, std::move(hint));
    trouble.kind = "key";
    return trouble;
}

/// What the provider's answer means, if it is not a yes.
Trouble model_trouble(const Lifelines& lines, const ModelChoice& wanted) {
    const int status = lines.model_status;
    const std::string said = lines.model_reason.empty() ? "" : ": " + lines.model_reason;
    const std::string model = lines.live_model.empty() ? wanted.model : scrub(lines.live_model);
    if (status == 401 || status == 403) {
        // The Secret's may be a good one all the same.
        const auto shadow = std::ranges::find(lines.shadowed, lines.model_key, &Shadow::key);
        return refused(fmt::format("{} refuses {} ({}){}", wanted.provider, lines.model_key, status, said),
                       shadow != lines.shadowed.end() ? way_out_of(*shadow)
                                                      : "hermesctl rotate-secret " + lines.model_key + "=-");
    }
    if (status == 402) {
        return mute(fmt::format("the account at {} has no balance (402){}", wanted.provider, said),
                    "top it up, then: hermesctl wait");
    }
    if (status == 400 || status == 404) {
        return mute(
            fmt::format("{} does not serve the model {} ({}){}", wanted.provider, model, status, said),
            "hermesctl exec -- hermes config set model.default MODEL, then hermesctl restart");
    }
    const std::string back = "when the provider is back: hermesctl wait";
    if (status == 0) {
        return mute(fmt::format("{} cannot be reached from the pod{}", wanted.provider, said),
                    "hermesctl verify tells whether the cage is in the way; " + back, Patience::minute);
    }
    const bool passing = status == 408 || status == 425 || status == 429 || status >= 500;
    return mute(fmt::format("{} answers with {}{}", wanted.provider, status, said), back,
                passing ? Patience::minute : Patience::none);
}

bool names_token(const std::vector<std::string>& keys) {
    return std::ranges::find(keys, token_key) != keys.end();
}

/// The key of this provider.
bool names_key_of(const ModelChoice& wanted, const std::vector<std::string>& keys) {
    return std::ranges::any_of(keys_of_provider(wanted.provider), [&](std::string_view key) {
        return std::ranges::find(keys, key) != keys.end();
    });
}

/// Refused, or another program has the bot.
bool is_of_token(std::string_view kind) {
    return kind == "token" || kind == "webhook" || kind == "polled";
}

/// A gateway that does not start, or does not stay up.
bool is_of_a_start(std::string_view kind) {
    constexpr std::array<std::string_view, 4> kinds{"crash", "gateway", "startup",
                                                    "CreateContainerConfigError"};
    return std::ranges::find(kinds, kind) != kinds.end();
}

/// Of what the pod says only a variable's name is put into a command.
std::vector<OpenToAll> open_to_all_in(const Json& said) {
    std::vector<OpenToAll> found;
    for (const auto& [key, file] : said.items()) {
        if (!is_variable_name(key) || !says_who_gets_in(key)) continue;
        if (file == env_file_path)
            found.push_back({key, std::string(env_file_path), "hermesctl rotate-secret --unshadow " + key});
        if (file == managed_env_file)
            found.push_back(
                {key, std::string(managed_env_file), "taking it out there, then hermesctl restart,"});
    }
    return found;
}

}  // namespace

std::optional<Lifelines> parse_lifelines(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("bot") || !json.contains("model")) return std::nullopt;
    const std::string username = kube::text_at(json, "/bot/username");
    const std::string key = kube::text_at(json, "/model/key");
    std::vector<Shadow> shadowed;
    for (const auto& [name, file] : kube::at(json, "/shadowed").items()) {
        if (is_variable_name(name) && (file == env_file_path || file == managed_env_file))
            shadowed.push_back({.key = name, .file = file.get<std::string>()});
    }
    return Lifelines{.bot = username.empty() ? "" : "@" + username,
                     .bot_status = static_cast<int>(kube::int_at(json, "/bot/status")),
                     .bot_reason = scrub(kube::text_at(json, "/bot/reason")),
                     .webhook = kube::bool_at(json, "/bot/webhook"),
                     .model_status = static_cast<int>(kube::int_at(json, "/model/status")),
                     .model_reason = scrub(kube::text_at(json, "/model/reason")),
                     .model_key = is_variable_name(key) ? key : "",
                     .live_provider = kube::text_at(json, "/live/provider"),
                     .live_model = kube::text_at(json, "/live/model"),
                     .managed = kube::bool_at(json, "/live/managed"),
                     .shadowed = std::move(shadowed),
                     .open = open_to_all_in(kube::at(json, "/open"))};
}

Lifelines check_lifelines(kube::Client& client, const std::string& ns, const std::string& pod,
                          const ModelChoice& wanted, const std::function<void()>& each_round) {
    const std::string keys = fmt::format("{}", fmt::join(keys_of_provider(wanted.provider), " "));
    const auto command = python_command(asking_script("lifelines.py"), {wanted.provider, keys, wanted.model});
    std::string failure;
    try {
        const kube::ExecOutput output = run_in_agent(client, in_agent(ns, pod, command), "", 60s, each_round);
        if (auto lines = parse_lifelines(output.out)) return *lines;
        failure = complaint_of(output.exit_code, output.err);
    } catch (const kube::ApiError&) {
        throw;
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        failure = error.message();
    }
    throw Error(ExitCode::failed, "the check inside the pod gave no answer: " + failure,
                python_hint(ns, pod));
}

std::optional<Trouble> lifeline_trouble(const Lifelines& lines, const ModelChoice& wanted) {
    if (lines.bot_status == 401 || lines.bot_status == 403 || lines.bot_status == 404) {
        return Trouble{"token", "telegram", "Telegram rejected the bot token",
                       "get the token from @BotFather, then: hermesctl deploy --secret TELEGRAM_BOT_TOKEN=-",
                       Patience::none};
    }
    if (lines.webhook) {  // Hermes has deleted the one that was there when it connected
        return Trouble{
            "webhook", "telegram",
            "the bot is connected but deaf: another program has set a webhook, by which Telegram sends "
            "it the bot's messages",
            "hermesctl restart deletes it; if it comes back, find the program that has this token, or "
            "/revoke it at @BotFather, then: hermesctl rotate-secret TELEGRAM_BOT_TOKEN",
            Patience::minute};
    }
    if (!lines.live_provider.empty() && lines.live_provider != wanted.provider)
        return other_provider(lines, wanted);
    if (lines.model_status < 0 || lines.key_accepted()) return std::nullopt;
    if (lines.model_key.empty()) {
        return refused(lines.model_reason,
                       fmt::format("hermesctl deploy --secret {}=-", key_of_provider(wanted.provider)));
    }
    return model_trouble(lines, wanted);
}

bool made_by(const Trouble& trouble, const ModelChoice& wanted, const std::vector<std::string>& keys) {
    if (is_of_token(trouble.kind)) return names_token(keys);
    if (trouble.kind == "key") return names_key_of(wanted, keys);
    // By another way there may be nobody, or somebody else.
    if (trouble.kind == "telegram" || trouble.kind == "mute") return std::ranges::any_of(keys, is_route);
    // The gateway reads all of them as it starts, and any may break it, but no list of users.
    return is_of_a_start(trouble.kind) && !std::ranges::all_of(keys, says_who_gets_in);
}

bool concerns(const Trouble& trouble, const ModelChoice& wanted, const std::vector<std::string>& keys) {
    const bool unasked = trouble.kind == "unasked";
    if ((unasked || trouble.kind == "mute") && names_key_of(wanted, keys)) return true;
    if (unasked && names_token(keys)) return true;  // config.yaml's own is in no key
    return made_by(trouble, wanted, keys);
}

std::vector<Event> lifeline_notes(const Lifelines& lines, const ModelChoice& wanted) {
    std::vector<Event> notes;
    auto note = [&](std::string subject, std::string detail) {
        notes.push_back({"wait", std::move(subject), State::warning, std::move(detail)});
    };
    if (lines.bot_status != 200) {
        const std::string status = lines.bot_status == 0 ? "" : fmt::format(" ({})", lines.bot_status);
        note("bot",
             fmt::format("Telegram could not be asked whose bot it is{}: {}", status, lines.bot_reason));
    }
    if (lines.live_provider.empty())
        note("provider", "the live config.yaml names no provider, so Hermes chooses one by itself");
    if (!lines.live_model.empty() && lines.live_model != wanted.model) {
        note("live model", fmt::format("the live config.yaml uses the model {}, not {}",
                                       scrub(lines.live_model), wanted.model));
    }
    if (!lines.open.empty()) note("users (file)", text_of(lines.open));
    return notes;
}

}  // namespace hermesctl::hermes
