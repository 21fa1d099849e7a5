// Keys that Hermes' own .env sets: it wins over the Secret. Found from inside the pod, and with consent taken
// out of the file.
#pragma once

#include "hermesctl/hermes/inspection.hpp"
#include "hermesctl/hermes/target.hpp"
#include "hermesctl/kube/client.hpp"

#include <functional>
#include <string>
#include <vector>

namespace hermesctl::hermes {

inline constexpr std::string_view env_file_path = "/opt/data/.env";
inline constexpr std::string_view managed_env_file = "/etc/hermes/.env";  // is read last
/// The hint for a file of Hermes' managed scope.
inline constexpr const char* managers_business = "whoever manages that file has to change it there";

struct Shadow {
    std::string key{};
    std::string file{};  // env_file_path, or one of Hermes' managed scope, which nobody can mend from here
    bool same = false;   // the same value as in the container's environment, until one of them changes
    bool mendable() const { return file == env_file_path; }
};
/// What takes it out of that file.
std::string way_out_of(const Shadow&);

struct Shadows {
    bool known = false;
    std::string why{};  // not known
    std::string hint{};
    std::vector<Shadow> all{};
    Target target{};
    std::string mark{};    // of env_file_path as it was seen
    bool settled = false;  // the gateway that runs has started with env_file_path as it is now
};

/// What inspect.py says of it; without the target. Pure.
Shadows shadows_of(const Inside&);
/// Which of these keys are shadowed. What keeps it from being seen is a value. Throws Error{interrupted}.
Shadows find_shadows(kube::Client&, const Target&, const std::vector<std::string>& keys);

/// Takes what is mendable out of env_file_path, all at once, and returns the path of the copy that stays
/// beside it. Owner and mode stay. In force after a restart. Throws Error{failed} when the file has changed
/// since it was seen, is a link, has other names or another owner, or cannot be written: then it is as it
/// was. `each_round` is called meanwhile.
std::string remove_shadows(kube::Client&, const Shadows&, const std::function<void()>& each_round = {});

}  // namespace hermesctl::hermes
