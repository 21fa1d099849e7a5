// Completion scripts, made from the command line's own description.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace hermesctl::cli {

std::string bash_completion(const CLI::App& root);
std::string zsh_completion(const CLI::App& root);
std::string fish_completion(const CLI::App& root);

}  // namespace hermesctl::cli
