#include "hermesctl/base/file.hpp"

#include "hermesctl/base/error.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace hermesctl {

std::optional<std::string> read_file(const std::string& path, std::size_t limit) {
    std::error_code code;
    const auto status = std::filesystem::status(path, code);
    if (status.type() == std::filesystem::file_type::not_found) return std::nullopt;
    if (status.type() == std::filesystem::file_type::directory) {
        throw Error(ExitCode::usage, fmt::format("{} is a directory, not a file", path));
    }
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text;
    std::string block(64 * 1024, '\0');
    while (file && text.size() <= limit) {
        file.read(block.data(), static_cast<std::streamsize>(block.size()));
        text.append(block, 0, static_cast<std::size_t>(file.gcount()));
    }
    if (!file.is_open() || file.bad()) {
        throw Error(ExitCode::usage, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    }
    if (text.size() > limit) {
        throw Error(ExitCode::usage, fmt::format("{} is larger than {} bytes", path, limit));
    }
    return text;
}

}  // namespace hermesctl
