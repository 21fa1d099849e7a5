// Changing values of a running installation's Secret so that it can be interrupted at any point: changed,
// rolled, waited for, proved, and put back where they make that the bot does not come up. What is under way
// is written down in the cluster: the Secret NAME-secrets-previous holds the old values of the keys that
// change, and in an annotation who changes them, when that one was last seen, and salted fingerprints of the
// new ones.
//
// A rotation writes, in this order, and each write is atomic:
//   1. NAME-secrets-previous is created
//   2. NAME-secrets is patched, under the resourceVersion that was read
//   3. the Deployment's template gets the new Secret's mark, as deploy writes it: the pod rolls
//   4. once the bot answers and uses the new values: NAME-secrets-previous is deleted. Where it answers, and
//      nobody can tell with which values, that is an error, and 4 is left to the next command
// and when it does not come up: 2 with the old values, 3 with the old mark, then 4, then the wait; only 4 for
// a trouble that none of the keys can have made (made_by in lifelines.hpp). What says who may use the bot is
// not put back but where the pod may not be rolled. recover_rotation() decides by what it finds. "new",
// "old": what NAME-secrets holds of the keys that change, compared with the fingerprints and the old values;
// "marked": the template has the mark of NAME-secrets.
//   no NAME-secrets-previous   nothing to do
//   old, marked                not begun, or put back: it is deleted
//   old, not marked            put back, but the pod was not: 3, 4
//   new, not marked            3, the wait, the proof, 4; put back as above
//   new, marked                the wait, the proof, 4 (told or not); put back as above
//   neither                    put back in part, or changed by somebody else since, and that stays: 3, 4
//   NAME-secrets is not there  nothing: the old values may be the last copy; deploy makes it anew
// With 0 replicas there is nothing to wait for: what NAME-secrets holds stays.
#pragma once

#include "hermesctl/hermes/lease.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hermesctl::hermes {

/// KEY -> its new value; nothing: the key is removed.
using SecretChanges = std::map<std::string, std::optional<std::string>>;

enum class KeyChange { add, update, remove, same };

struct RotationPlan {
    Names names{};
    SecretChanges changes{};
    std::map<std::string, KeyChange> keys{};  // without those whose change is not known (`blind`)
    bool blind = false;                       // the Secret may not be read: it is patched unseen
    bool stopped = false;                     // 0 replicas
    bool pending = false;  // the pod does not have what the Secret holds now: of an earlier --no-restart
    bool restart_anyway = false;  // the caller's: the pod is rolled though it has what the Secret holds
    Json secret{};                // null when blind
    Json deployment{};
    /// Whether a key may change.
    bool changes_secret() const;
    /// Whether there is anything to do.
    bool changes_anything() const { return pending || changes_secret(); }
};

/// Reads only. Throws Error{failed} when the Secret or the Deployment is missing, immutable, not made by
/// hermesctl or of another instance; ApiError; Error{usage} for a new key that is no variable's name.
RotationPlan plan_rotation(kube::Client&, const Names&, SecretChanges);

/// "~ change  secret/hermes-secrets" with a line for each key; values are never in it.
std::string rotation_text(const RotationPlan&);
Json rotation_json(const RotationPlan&);

/// The bot does not come up, and new values of the keys that change can have made that.
class MadeByTheChange : public Error {
  public:
    explicit MadeByTheChange(const Error& error) : Error(error) {}
};

/// What the caller knows how to do. `each_round` is to be called at least every few seconds meanwhile.
struct RotationSteps {
    using EachRound = std::function<void()>;
    /// Before the pod is rolled: lets a busy agent finish. May be empty.
    std::function<void(const EachRound& each_round)> drain{};
    /// Until the bot answers, as deploy waits; the pod that does. MadeByTheChange is what puts the old values
    /// back; after another Error{failed, timeout} the new ones stay; any other error, and each ApiError, ends
    /// the rotation where it is. Empty: it is not waited for, so nothing is proved, nothing put back, and no
    /// old value kept.
    std::function<std::string(const std::vector<std::string>& keys, const EachRound& each_round)> wait{};
    /// Whether the provider surely refuses this old value (401): then it is not put back. May be empty.
    std::function<bool(const std::string& key, const std::string& old_value, const EachRound& each_round)>
        refused{};
    /// As soon as something was changed: what comes next may fail. May be empty, or called again.
    std::function<void()> changed{};
};

/// Whether the live gateway uses these values; compared inside the pod.
struct Proof {
    bool told = false;    // false: it could not be asked
    bool denied = false;  // by the account's own rights
    std::string why{};    // why not
    std::string hint{};
    std::vector<std::string>
        unused{};  // keys of which the gateway has another value (or, removed, still one)
    std::vector<std::string> shadowed{};  // keys that Hermes takes from a file on its volume instead
    bool holds() const { return told && unused.empty() && shadowed.empty(); }
};

/// In the environment of the gateway process of this pod (manifests/inforce.py), values over exec's stdin;
/// `each_round` is called meanwhile. What cannot be told is no Error but told == false. Throws
/// Error{interrupted}.
Proof prove_in_force(kube::Client&, const Names&, const std::string& pod, const SecretChanges&,
                     const RotationSteps::EachRound& each_round);

struct Rotated {
    bool changed = false;    // the Secret was
    bool answering = false;  // the pod was rolled, and the bot answers
    std::string pod{};
    Proof proof{};
};

/// Carries it out. `restart` false: the Secret alone is changed, and nothing is left half done; a later
/// restart or deploy brings it in force. `lease` may be null. Throws Error{failed}: the Secret was changed
/// meanwhile by somebody else (nothing was done); or the bot did not come up: then the message says whether
/// the old values are back, which are not, and whether it answers with them, or that the new ones stay; or it
/// answers, and uses others, or what it uses could not be told though this account may ask: then nothing is
/// put back. Other errors, and an interrupt, leave it half done, as above.
Rotated rotate(kube::Client&, const RotationPlan&, bool restart, const RotationSteps&, HeldLease*, Reporter&);

/// Whether the pod has something else than the Secret holds now; false where that cannot be told.
bool lacks_secret(const Json& deployment, const Json& secret);
/// The annotations of the pod template by which the pod gets what the Secret holds now, as deploy would write
/// them; nothing when it has that already, or when that cannot be told.
std::optional<Json> pending_mark(kube::Client&, const Names&, const Json& deployment);

/// What NAME-secrets-previous says of itself.
struct HalfDone {
    std::vector<std::string> keys{};
    std::string holder{};   // "" when it was given up in an orderly way
    std::string renewed{};  // RFC 3339
    /// "a half-done change of A, B by HOLDER, last seen 2026-01-31T10:00:00"
    std::string text() const;
};
/// Nothing for null, and for a Secret that is not this instance's record.
std::optional<HalfDone> half_done(const Json& previous, const Names&);

/// Finishes or undoes what an earlier command has left half done; true when there was something. With
/// `lease` held no other one is at work, and without leases a record that was renewed within 30 s is
/// another's: Error{failed} names its holder. Throws as rotate() does.
bool recover_rotation(kube::Client&, const Names&, const RotationSteps&, HeldLease*, Reporter&);

}  // namespace hermesctl::hermes
