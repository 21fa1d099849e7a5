// Files and folders into and out of the agent's container (manifests/copy.py). They appear under their final
// name only when they are complete and their checksum is right. Links and special files are left out.
#pragma once

#include "hermesctl/hermes/target.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace hermesctl::hermes {

struct Copied {
    std::string path{};       // where it is now
    bool in_the_way = false;  // nothing was done: a file is there that was not to be replaced
    std::size_t files = 0;
    std::vector<std::string> left_out{};
};

struct CopyOptions {
    bool root = false;     // as the container's root, not as the agent's user
    bool replace = false;  // a file that is there
    bool dry_run = false;  // only looks, on both sides; counts the files also where one is in the way
    std::function<void()> sends = [] {
    };  // before the first byte goes into the pod: what is there is not sure
};

/// Throws Error{failed} saying what could not be copied.
Copied copy_in(kube::Client&, const Target&, const std::filesystem::path& local, const std::string& inside,
               const CopyOptions&);
Copied copy_out(kube::Client&, const Target&, const std::string& inside, const std::filesystem::path& local,
                const CopyOptions&);

}  // namespace hermesctl::hermes
