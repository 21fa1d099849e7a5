// Whose an object is, and whose its fields are when an installation made with kubectl is taken over
// (metadata.managedFields, structured-merge-diff's fieldsV1; the idea of client-go's util/csaupgrade).
#pragma once

#include "hermesctl/hermes/live.hpp"

#include <string_view>

namespace hermesctl::hermes {

/// Throws Error{failed} for an object that hermesctl did not make, or that is of another instance; null is
/// nobody's. `command` is the one that was to change it.
void refuse_foreign(const Json& object, const Names&, std::string_view command);

/// kubectl's own managers: kubectl-client-side-apply, kubectl-create, kubectl-patch, kubectl-edit...
bool is_kubectl(std::string_view manager);

/// managedFields of `object` in which kubectl's entries no longer hold what hermesctl's own entry holds; null
/// when nothing has to change. Without this a field that hermesctl later leaves out would stay for ever, and
/// what the user added by hand would be lost if all of kubectl's fields became ours.
Json released_fields(const Json& object);

/// True when an apply of `object` would change no value of `live`: all that our last apply owns is in
/// `object`, and all that is in `object` has its value already. False where the server has to be asked:
/// "1000m" for "1", a set without keys, another apiVersion, and where kubectl owns something that may have to
/// be taken over.
bool is_applied(const Json& object, const Json& live);

}  // namespace hermesctl::hermes
