#include "hermesctl/hermes/compose.hpp"

#include "credentials.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/cluster.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "hermesctl/hermes/hardening.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/hermes/rotation.hpp"
#include "items.hpp"
#include "rotation_record.hpp"
#include "settings_check.hpp"
#include "shared_namespace.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::int_at;
using kube::text_at;

using Secrets = std::map<std::string, std::string>;

constexpr std::string_view token_question = "Telegram bot token (from @BotFather)";

class Composer {
  public:
    Composer(kube::Client& client, const Wish& wish, Reporter& reporter)
        : client_(client), wish_(wish), reporter_(reporter), round_(client) {}

    Composition run() {
        result_.names = names_of(wish_.settings);
        result_.given.users = wish_.given.users;
        read();
        end_rotation();
        settings_ = merged(settings_of(result_.live, result_.names), wish_.settings);
        settings_["name"] = result_.names.name;
        settings_["namespace"] = result_.names.ns;
        secrets_ = secret_values(result_.live.of(result_.names.secret()));
        if (!wish_.policy_alone) {
            tell_of_credentials();
            read_secrets();
            keep_users();
            ask_for_users();
        }
        result_.values = values_of(settings_, way_out_of(at(settings_, "/pod/env"), result_.names));
        look_at_level();
        if (!wish_.policy_alone) ask_for_keys();
        if (!missing_.empty()) throw what_is_missing();
        if (result_.incomplete) return std::move(result_);
        set_users();
        render_objects();
        return std::move(result_);
    }

  private:
    void read() {
        want_live(round_, result_.names);
        want_cluster(round_);
        round_.want(result_.names.policies());
        round_.run();
        result_.live = live_of(round_, result_.names);
        const Json& name_space = result_.live.of(result_.names.name_space());
        if (at(name_space, "/metadata/deletionTimestamp").is_null() || wish_.policy_alone) return;
        throw Error(ExitCode::failed, fmt::format("namespace/{} is being deleted", result_.names.ns),
                    fmt::format("kubectl wait --for=delete namespace/{} --timeout=10m, then run this again",
                                result_.names.ns));
    }

    /// Where the level "restricted" is not only warned of, it is the server's warning that says what no pod
    /// may be made for.
    void look_at_level() {
        const Json& name_space = result_.live.of(result_.names.name_space());
        const bool refuses = is_foreign(name_space) && level_of(name_space) == "restricted";
        result_.pods_refused = refuses && !result_.values.pod.hardened;
        if (!refuses) expect_root_warning(client_, result_.values.pod.hardened);
        if (!result_.pods_refused) return;
        tell("pod security", State::warning,
             "this namespace enforces \"restricted\", and lets in only the hardened form of the pod: "
             "hermesctl deploy --hardened, if the image starts without root");
    }

    void end_rotation() {
        const auto found = half_done(result_.live.of(result_.names.previous()), result_.names);
        if (!found) return;
        if (!wish_.recover) {
            return tell("rotation", State::warning,
                        found->text() + " was found; hermesctl deploy finishes or undoes it first");
        }
        wish_.recover();
        result_.live = read_live(client_, result_.names);
    }

    /// One that is live already keeps nobody from a deploy.
    void tell_of_credentials() {
        for (const std::string& pointer : credentials_in(at(settings_, "/config"), "/config", {})) {
            tell(dotted(pointer), State::warning,
                 "is a credential, and lies in the ConfigMap: put it under secrets: in a file, and ${NAME} "
                 "in its place under config:");
        }
        for (const auto& [name, value] : at(settings_, "/pod/env").items()) {
            if (!is_credential(name, text_at(value, ""))) continue;
            tell("pod.env." + name, State::warning,
                 fmt::format("is a credential, and lies in the Deployment: hermesctl deploy --secret {}=- "
                             "moves it into the Secret",
                             name));
        }
    }

    /// None goes into the ConfigMap or the pod's template under an innocent name.
    void look_for_copies() {
        const Secrets known = telling_values(secrets_);
        for (const std::string& pointer : credentials_in(at(wish_.settings, "/config"), "/config", known))
            missing_.push_back(dotted(pointer) + ": ${NAME} in place of a secret's value");
        for (const std::string& pointer : credentials_in(at(wish_.settings, "/pod/env"), "/pod/env", known)) {
            missing_.push_back(dotted(pointer) +
                               ": anything but a secret's value; the agent gets each secret as a variable");
        }
    }

    /// What is wrong with one of them is told with everything else that is missing, before anything is asked.
    void read_secrets() {
        for (const auto& [key, value] : wish_.given.secrets)
            take_secret(key, value);
        std::vector<std::string> typed;
        for (const auto& [key, source] : at(settings_, "/secrets").items()) {
            if (result_.given.secrets.contains(key)) continue;
            if (wish_.ask && source.contains("stdin")) {
                typed.push_back(key);
                continue;
            }
            try {
                take_secret(key, read_secret(key, source, wish_.readers));
            } catch (const Error& error) {
                if (error.code() != ExitCode::usage) throw;
                missing_.push_back(error.message());
                unread_.insert(key);
            }
        }
        look_for_copies();
        if (wish_.ask && !missing_.empty()) throw what_is_missing();
        for (const std::string& key : typed) {
            if (asks_later()) {
                unread_.insert(key);
            } else {
                take_secret(key, ask_hidden(key == token_key ? token_question : key));
            }
        }
    }

    /// Then all that can be wrong without an answer is told first.
    bool asks_later() {
        if (wish_.ask_later) result_.incomplete = true;
        return wish_.ask_later;
    }

    /// What is typed at a terminal is no file's content: one line, without echo.
    std::string ask_hidden(std::string_view question) const {
        std::string value = wish_.ask(std::string(question), true);
        remember_secret(value);
        return value;
    }

    void take_secret(const std::string& key, const std::string& value) {
        if (const std::string complaint = complaint_about(key, value); !complaint.empty())
            throw Error(ExitCode::usage, fmt::format("{}: {}", key, complaint));
        if (const std::string odd = oddity_of(key, value); !odd.empty())
            tell(key, State::warning, "its value " + odd);
        secrets_[key] = value;
        result_.given.secrets[key] = value;
    }

    /// Whoever was let in since the file was written is not put out by it.
    void keep_users() {
        const Json& named = at(wish_.settings, "/telegram/allowedUsers");
        const Json& secret = result_.live.of(result_.names.secret());
        if (named.empty()) return;
        const UserIds wished = values_of({{"telegram", {{"allowedUsers", named}}}}).allowed_users;
        if (wish_.replace_users) return refuse_to_drop_owner(wished, owner_of(secret));
        const UserIds live = users_in(secret).ids;
        result_.kept_users = missing_from(wished, live);
        UserIds all = live;
        for (const UserId id : missing_from(live, wished))
            all.push_back(id);
        settings_["telegram"]["allowedUsers"] = all;
        if (result_.kept_users.empty()) return;
        tell("users", State::info,
             fmt::format("{} may use the bot now and, though not named, still may; --replace-users ends that",
                         fmt::join(result_.kept_users, ", ")));
    }

    void refuse_to_drop_owner(const UserIds& wished, std::optional<UserId> owner) const {
        if (!owner || !at(wish_.settings, "/owner").is_null()) return;
        if (missing_from(wished, {*owner}).empty()) return;
        throw Error(ExitCode::usage,
                    fmt::format("{} owns the bot, and is not among who may use it then", *owner),
                    "name that one too, or make another one the owner: owner: ID in your hermes.yaml, or "
                    "before this hermesctl allow-user ID --owner ID");
    }

    void ask_for_users() {
        if (!at(settings_, "/telegram/allowedUsers").empty()) return;
        UserIds& users = result_.given.users;
        if (!wish_.ask)
            missing_.push_back("who may use the bot: --allow-user ID (numeric; @userinfobot tells it)");
        if (!wish_.ask || (users.empty() && asks_later())) {
            settings_["telegram"]["allowedUsers"] =
                Json::array({1});  // so that the other complaints come too
            return;
        }
        if (users.empty())
            users = users_of(wish_.ask("your numeric Telegram id (@userinfobot tells it)", false));
        settings_["telegram"]["allowedUsers"] = users;
    }

    /// Some providers' keys go by several names; one of them will do. One that was given, but could not be
    /// read, is complained of already.
    bool has_key() const {
        const auto keys = keys_of_provider(result_.values.provider);
        return std::any_of(keys.begin(), keys.end(), [this](const std::string& key) {
            if (unread_.contains(key)) return true;
            const auto found = secrets_.find(key);
            return found != secrets_.end() && !found->second.empty();
        });
    }

    void ask_for_key(const std::string& key, std::string_view question) {
        if (!secrets_[key].empty() || unread_.contains(key)) return;
        if (!wish_.ask) {
            missing_.push_back(
                fmt::format("{}: --secret {}=- (stdin), @file, env:NAME or cmd:PROGRAM", key, key));
            return;
        }
        if (asks_later()) return;
        const std::string value = ask_hidden(question);
        if (value.empty()) throw Error(ExitCode::usage, fmt::format("{}: nothing was typed", key));
        take_secret(key, value);
    }

    void ask_for_keys() {
        ask_for_key(std::string(token_key), token_question);
        const std::string key = key_of_provider(result_.values.provider);
        if (!key.empty() && !has_key())
            ask_for_key(key, fmt::format("{} (key of {})", key, result_.values.provider));
        if (wish_.ask) look_for_copies();  // of what was typed, too
    }

    Error what_is_missing() const {
        return Error(ExitCode::usage, fmt::format("this is needed:\n  - {}", fmt::join(missing_, "\n  - ")),
                     "give them as flags or in a file (-f FILE)");
    }

    /// A list that says the same is left as it is written: an unusual but valid one is not ours to tidy.
    void set_users() {
        std::string& text = secrets_[std::string(users_key)];
        const UserIds& wanted = result_.values.allowed_users;
        const UserList list = user_list(text);
        text = list.plain && missing_from(wanted, list.ids).empty() ? with_users(list, wanted)
                                                                    : users_text(wanted);
    }

    void render_objects() {
        const Names& names = result_.names;
        const Json& deployment = result_.live.of(names.deployment());
        const Json& policy = result_.live.of(names.policy());
        std::string salt = salt_of(result_.live.of(names.secret()));
        if (salt.empty()) salt = hex(random_bytes(16));
        RenderInput input{
            .secrets = secrets_,
            .salt = std::move(salt),
            .cluster = cluster_of(
                round_,
                {.server = wish_.server, .except = result_.values.network.except, .resolve = wish_.resolve}),
            .kept_rules = foreign_rules(policy),
            .config_mark = text_at(deployment, "/spec/template/metadata/annotations/hermesctl~1config"),
            .replicas = static_cast<int>(int_at(deployment, "/spec/replicas", 1))};
        warn_of_gaps(input.cluster, policy);
        keep_what_was_known(policy, input.cluster);
        if (auto kept = live_witnesses(deployment); input.cluster.incomplete && !kept.empty())
            input.cluster.witnesses = known_again(std::move(kept), input.cluster.witnesses);
        for (const Json& other : items_of(round_.of(names.policies()))) {
            if (text_at(other, "/metadata/name") != names.policy().name)
                input.cluster.other_policies.push_back(other);
        }
        result_.stopped = input.replicas == 0;
        result_.objects = render(result_.values, input);
        result_.cluster = std::move(input.cluster);
        tell_of_gate();
        keep_foreign_namespace();
        if (wish_.policy_alone)
            std::erase_if(result_.objects, [](const Json& one) { return one["kind"] != "NetworkPolicy"; });
    }

    /// The live gate names addresses and nodes alone: the rest is known where they are found anew.
    static std::vector<Witness> known_again(std::vector<Witness> kept, const std::vector<Witness>& fresh) {
        for (Witness& witness : kept) {
            const auto found = std::ranges::find(fresh, witness.text(), &Witness::text);
            if (found != fresh.end()) {
                witness = *found;
            } else {
                witness.doubt = "an earlier deploy knew it, and it may not be looked up now";
            }
        }
        return kept;
    }

    void tell_of_gate() {
        if (!result_.values.network.gate) {
            tell("gate", State::warning,
                 "off: the agent starts before it is known that the cage holds; --gate brings it back");
            return;
        }
        const std::vector<Witness> used = live_witnesses(result_.objects.back());
        if (used.empty()) {
            tell("gate", State::warning,
                 result_.cluster.witnesses.empty()
                     ? "there is nothing in this cluster by which it could tell whether the cage holds"
                     : "other policies open all by which it could tell whether the cage holds");
        }
        if (const std::string doubt = doubt_of(used); !doubt.empty())
            tell("gate", State::warning, "it may pass though the cage is open: " + doubt);
        if (const kube::Outcome& answer = round_.of(result_.names.policies()); answer.error)
            tell("policies", State::warning,
                 "whether others open what the gate looks at is not known: " + answer.error->message());
    }

    /// Why none of them may have a listener; "" when one surely has.
    std::string doubt_of(const std::vector<Witness>& used) const {
        std::string doubt;
        for (const Witness& witness : result_.cluster.witnesses) {
            if (std::ranges::find(used, witness.text(), &Witness::text) == used.end()) continue;
            if (witness.doubt.empty()) return "";
            doubt = fmt::format("{} may tell nothing: {}", witness.text(), witness.doubt);
        }
        return doubt;
    }

    void warn_of_gaps(const ClusterFacts& cluster, const Json& policy) {
        for (const Gap& gap : cluster.gaps)
            reporter_.on({"cage", gap.what, State::warning, gap.why});
        if (!cluster.incomplete || policy.is_null()) return;
        reporter_.on({"cage", title(result_.names.policy()), State::warning,
                      "what it closes already stays closed, since not all of the cluster could be read"});
    }

    /// A namespace that hermesctl did not make keeps what it has.
    void keep_foreign_namespace() {
        const Json& name_space = result_.live.of(result_.names.name_space());
        if (!is_foreign(name_space)) return;
        std::erase_if(result_.objects,
                      [](const Json& object) { return text_at(object, "/kind") == "Namespace"; });
        const bool to_come = result_.live.of(result_.names.deployment()).is_null() && !wish_.policy_alone;
        const auto others = tell_of_namespace(client_, name_space, result_.names.name, to_come, reporter_);
        if (to_come) result_.neighbours = others;
    }

    void tell(const std::string& subject, State state, const std::string& what) {
        reporter_.on({"plan", subject, state, what});
    }

    kube::Client& client_;
    const Wish& wish_;
    Reporter& reporter_;
    kube::Round round_;
    Composition result_{};
    Json settings_{};
    Secrets secrets_{};
    std::vector<std::string> missing_{};
    std::set<std::string> unread_{};  // secrets that were given, and complained of, or are asked for later
};

}  // namespace

Names names_of(const Json& settings) {
    return {.ns = text_at(settings, "/namespace", "hermes"), .name = text_at(settings, "/name", "hermes")};
}

Composition compose(kube::Client& client, const Wish& wish, Reporter& reporter) {
    return Composer(client, wish, reporter).run();
}

}  // namespace hermesctl::hermes
