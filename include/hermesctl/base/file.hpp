// Files as text.
#pragma once

#include <optional>
#include <string>

namespace hermesctl {

/// Nothing when there is no such file. Throws Error (with the reason) when it is there and cannot be read,
/// is a directory, or is larger than `limit` bytes.
std::optional<std::string> read_file(const std::string& path, std::size_t limit = 16u << 20);

}  // namespace hermesctl
