// The Secret NAME-secrets-previous: what a rotation that is under way says of itself.
#pragma once

#include "hermesctl/hermes/rotation.hpp"
#include "hermesctl/hermes/secrets.hpp"

#include <optional>
#include <string>

namespace hermesctl::hermes {

/// The salt under which the Secret's values are marked; "" where deploy has not put one there yet.
std::string salt_of(const Json& secret);
/// The mark that the Deployment's template carries; "" for none.
std::string template_mark(const Json& deployment);

class RotationRecord {
  public:
    /// Creates it. Throws Error{failed} when there is one already.
    static RotationRecord begin(kube::Client&, const Names&, const Json& secret, const SecretChanges&,
                                const std::string& salt);
    /// The one of an earlier command; nothing when there is none, or it may not be read.
    static std::optional<RotationRecord> find(kube::Client&, const Names&);

    const HalfDone& said() const { return said_; }
    /// The salt that the fingerprints were made with.
    std::string salt() const { return salt_of(object_); }
    /// The old values of its keys; nothing: there was none.
    SecretChanges old_values() const;

    /// Which of its values these are.
    enum class Holds { new_ones, old_ones, neither };
    Holds holds(const SecretValues&) const;

    /// From now on it is ours. Throws Error{failed} when another one has just taken it.
    void take_over();
    /// When 10 s have passed since the last time. Throws Error{failed} when another one has taken it over.
    void renew_if_due();
    /// It is nobody's: the next command need not wait. What fails there is not reported.
    void give_up() noexcept;
    void remove();

  private:
    RotationRecord(kube::Client&, Json object, HalfDone said);
    void write(const std::string& holder);

    kube::Client* client_;
    Json object_;
    HalfDone said_;
    Clock::Time renewed_{};
};

}  // namespace hermesctl::hermes
