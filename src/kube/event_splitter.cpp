// A watch stream's bytes, cut into lines.
#include "hermesctl/kube/watch.hpp"

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

constexpr std::size_t longest_line = 32u << 20;

}  // namespace

std::vector<std::string> EventSplitter::feed(std::string_view bytes) {
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        if (rest_.size() + part.size() > longest_line) {
            throw Error(ExitCode::failed, fmt::format("a watch event is longer than {} bytes", longest_line));
        }
        rest_ += part;
        if (end == std::string_view::npos) break;
        bytes.remove_prefix(end + 1);
        if (rest_.find_first_not_of(" \t\r") != std::string::npos) lines.push_back(std::move(rest_));
        rest_.clear();
    }
    return lines;
}

}  // namespace hermesctl::kube
