// From here into the container.
#include "hermes/copy_session.hpp"
#include "hermesctl/base/crypto.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

namespace fs = std::filesystem;
using kube::Json;

/// Its last part as it was typed (a link keeps its own name); of "." and the like what they stand for.
std::string name_of(const fs::path& local) {
    const std::string typed = local.has_filename() ? local.filename() : local.parent_path().filename();
    const bool names_it = !typed.empty() && typed != "." && typed != "..";
    return names_it ? typed : fs::canonical(local).filename().string();
}

class Descriptor {
  public:
    explicit Descriptor(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
        if (fd_ < 0) throw failed(path, std::strerror(errno));
    }
    ~Descriptor() { ::close(fd_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

  private:
    int fd_;
};

class TreeSender {
  public:
    /// Without a session it only counts what can be read.
    explicit TreeSender(CopySession* session) : session_(session) {}

    /// False when the other side has ended before all was sent.
    bool tree(const fs::path& top) {
        if (!fs::is_directory(top)) return file(top, "") && end();
        if (!folder(top, "")) return false;
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top)) {
            const std::string name = entry.path().lexically_relative(top).generic_string();
            const fs::file_type type = entry.symlink_status().type();
            if (type == fs::file_type::directory && !folder(entry.path(), name)) return false;
            if (type == fs::file_type::regular && !file(entry.path(), name)) return false;
            if (type != fs::file_type::directory && type != fs::file_type::regular) left_out.push_back(name);
        }
        return end();
    }
    std::size_t files = 0;
    std::vector<std::string> left_out{};

  private:
    bool send(std::string_view bytes) {
        if (session_ == nullptr) return true;
        sum_.add(bytes);
        return session_->send(bytes);
    }

    bool say(const fs::path& path, const Json& entry) {
        try {
            return send(entry.dump() + "\n");
        } catch (const Json::type_error&) {
            throw failed(path, "its name is not UTF-8");
        }
    }

    bool folder(const fs::path& path, const std::string& name) {
        const auto mode = static_cast<unsigned>(fs::status(path).permissions()) & 0777U;
        return say(path, {{"path", name}, {"folder", true}, {"mode", mode | 0700U}, {"size", 0}});
    }

    bool file(const fs::path& path, const std::string& name) {
        const Descriptor source(path);
        struct stat info {};
        if (::fstat(source.get(), &info) != 0 || !S_ISREG(info.st_mode)) throw failed(path, "is not a file");
        const auto mode = (static_cast<unsigned>(info.st_mode) & 0777U) | 0600U;
        if (!say(path, {{"path", name}, {"folder", false}, {"mode", mode}, {"size", info.st_size}}))
            return false;
        ++files;
        if (session_ == nullptr) return true;
        std::vector<char> block(64u << 10);
        for (auto left = static_cast<std::size_t>(info.st_size); left > 0;) {
            const ssize_t count = ::read(source.get(), block.data(), std::min(left, block.size()));
            if (count < 0) throw failed(path, std::strerror(errno));
            if (count == 0) throw failed(path, "became shorter while it was read");
            if (!send({block.data(), static_cast<std::size_t>(count)})) return false;
            left -= static_cast<std::size_t>(count);
        }
        return true;
    }

    bool end() {
        return session_ == nullptr ||
               session_->send(Json{{"end", true}, {"sha256", sum_.finish_hex()}}.dump() + "\n");
    }

    CopySession* session_;
    Sha256 sum_{};
};

Copied look(kube::Client& client, const Target& target, const fs::path& local, const std::string& inside,
            const CopyOptions& options) {
    TreeSender counter(nullptr);
    counter.tree(local);
    CopySession session(client, target, options.root,
                        {"look", inside, name_of(local), options.replace ? "1" : "0"});
    const int code = session.finish();
    const std::string path = kube::text_at(Json::parse(session.text(), nullptr, false), "/path");
    if (path.empty() || (code != 0 && code != already_there)) throw session.failure(code);
    return {.path = path,
            .in_the_way = code == already_there,
            .files = counter.files,
            .left_out = std::move(counter.left_out)};
}

}  // namespace

Copied copy_in(kube::Client& client, const Target& target, const fs::path& local, const std::string& inside,
               const CopyOptions& options) try {
    if (!fs::exists(local)) throw failed(local, "there is no such file");
    if (options.dry_run) return look(client, target, local, inside, options);
    const std::string name = name_of(local);
    CopySession session(client, target, options.root, {"put", inside, name, options.replace ? "1" : "0"});
    TreeSender sender(&session);
    options.sends();
    sender.tree(local);
    const int code = session.finish();
    const Json said = Json::parse(session.text(), nullptr, false);
    const std::string path = kube::text_at(said, "/path");
    if (code == already_there) return {.path = path, .in_the_way = true};
    if (code != 0 || kube::int_at(said, "/files", -1) != static_cast<std::int64_t>(sender.files))
        throw session.failure(code);
    return {.path = path, .files = sender.files, .left_out = std::move(sender.left_out)};
} catch (const fs::filesystem_error& problem) {
    throw failed(problem.path1(), problem.code().message());
}

}  // namespace hermesctl::hermes
