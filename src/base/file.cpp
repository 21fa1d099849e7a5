#include "hermesctl/base/file.hpp"

#include "hermesctl/base/error.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_write(const std::string& path, int why) {
    throw Error(ExitCode::failed, fmt::format("cannot write {}: {}", path, std::strerror(why)));
}

/// 0, or why not all of it could be written. Closes the descriptor.
int fill(int fd, std::string_view text) {
    int why = 0;
    while (!text.empty() && why == 0) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            why = errno;
        }
    }
    if (::close(fd) != 0 && why == 0) why = errno;
    return why;
}

/// That of the file that is there, else what the umask leaves.
mode_t mode_for(const std::string& path) {
    struct stat there {};
    if (::stat(path.c_str(), &there) == 0) return there.st_mode & 0777u;
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666u & ~mask;
}

/// A new file beside the old one, put into its place once it is whole.
int replace(const std::string& path, std::string_view text) {
    std::string beside = path + ".XXXXXX";
    const int fd = ::mkostemp(beside.data(), O_CLOEXEC);
    if (fd < 0) return errno;
    int why = ::fchmod(fd, mode_for(path)) == 0 ? 0 : errno;
    const int filled = fill(fd, text);
    if (why == 0) why = filled;
    if (why == 0 && ::rename(beside.c_str(), path.c_str()) != 0) why = errno;
    if (why != 0) ::unlink(beside.c_str());
    return why;
}

}  // namespace

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

void write_file(const std::string& path, std::string_view text) {
    std::error_code ignored;
    const fs::file_status there = fs::status(path, ignored);
    if (fs::is_directory(there)) refuse_write(path, EISDIR);
    int why = 0;
    if (fs::exists(there) && !fs::is_regular_file(there)) {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        why = fd < 0 ? errno : fill(fd, text);
    } else {
        // Through a link, so that it stays one; one that leads nowhere becomes the file.
        const fs::path real =
            fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored) : fs::path(path);
        why = replace(real.string(), text);
    }
    if (why != 0) refuse_write(path, why);
}

}  // namespace hermesctl
