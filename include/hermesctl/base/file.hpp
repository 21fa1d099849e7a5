// Files as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hermesctl {

/// Nothing when there is no such file. Throws Error (with the reason) when it is there and cannot be read,
/// is a directory, or is larger than `limit` bytes.
std::optional<std::string> read_file(const std::string& path, std::size_t limit = 16u << 20);

/// Writes the file as a whole: until then the old one stays, whose mode the new one has. What is there and is
/// no regular file (a pipe, /dev/stdout) is written into. Throws Error{failed} with the reason.
void write_file(const std::string& path, std::string_view text);

}  // namespace hermesctl
