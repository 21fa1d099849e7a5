// From the container to here. The pod is not trusted: names stay below a folder of our own, and there is no
// entry that could make a link.
#include "hermes/copy_session.hpp"
#include "hermesctl/base/crypto.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

namespace fs = std::filesystem;
using kube::Json;

constexpr std::size_t longest_entry = 64u << 10;

/// "logs" of "workspace/logs/".
fs::path name_of(const std::string& inside) {
    return fs::path(inside.substr(0, inside.find_last_not_of('/') + 1)).filename();
}

bool is_safe(const std::string& name) {
    if (name.starts_with('/') || name.ends_with('/') || name.find('\0') != std::string::npos) return false;
    return std::ranges::none_of(fs::path(name),
                                [](const fs::path& part) { return part == ".." || part == "."; });
}

/// A folder of our own beside the final place; gone with this.
class Workplace {
  public:
    explicit Workplace(const fs::path& final) {
        const fs::path folder = final.has_parent_path() ? final.parent_path() : fs::path(".");
        std::string name = (folder / ".hermesctl-copy-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw failed(folder, std::strerror(errno));
        path_ = name;
    }
    ~Workplace() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;
    fs::path content() const { return path_ / "content"; }

  private:
    fs::path path_{};
};

class Receiver {
  public:
    /// Without a place for the content it only counts. `final` is what that is called in the end.
    Receiver(fs::path content, fs::path final) : content_(std::move(content)), final_(std::move(final)) {}
    ~Receiver() { close(); }
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    void take(std::string_view bytes) {
        while (!bytes.empty() && !complete) {
            bytes.remove_prefix(left_ > 0 ? take_data(bytes) : take_line(bytes));
        }
    }
    bool complete = false;
    std::size_t files = 0;
    std::vector<std::string> left_out{};

  private:
    std::size_t take_data(std::string_view bytes) {
        bytes = bytes.substr(0, left_);
        const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) return 0;
        if (count < 0) throw unwritten(errno);
        const auto written = static_cast<std::size_t>(count);
        sum_.add(bytes.substr(0, written));
        left_ -= written;
        if (left_ == 0) close();
        return written;
    }

    std::size_t take_line(std::string_view bytes) {
        const std::size_t end = bytes.find('\n');
        const std::size_t count = end == std::string_view::npos ? bytes.size() : end + 1;
        line_ += bytes.substr(0, count);
        if (line_.size() > longest_entry) throw nonsense();
        if (end != std::string_view::npos) take_entry(std::exchange(line_, {}));
        return count;
    }

    void take_entry(const std::string& line) {
        const Json entry = Json::parse(line, nullptr, false);
        if (!entry.is_object()) throw nonsense();
        if (kube::bool_at(entry, "/end")) {
            complete = true;
            if (kube::text_at(entry, "/sha256") == sum_.finish_hex()) return;
            throw Error(ExitCode::failed, "what arrived is not what was sent; nothing was changed here");
        }
        sum_.add(line);
        if (entry.contains("left")) {
            left_out.push_back(kube::text_at(entry, "/left"));
            return;
        }
        name_ = kube::text_at(entry, "/path");
        if (!is_safe(name_)) throw nonsense();
        make(kube::bool_at(entry, "/folder"), static_cast<mode_t>(kube::int_at(entry, "/mode")) & 0777U,
             kube::int_at(entry, "/size"));
    }

    void make(bool folder, mode_t mode, std::int64_t size) {
        if (size < 0) throw nonsense();
        if (content_.empty()) {
            if (size > 0) throw nonsense();  // a list has no bytes
            files += folder ? 0 : 1;
            return;
        }
        if (folder) {
            if (::mkdir(entry_of(content_).c_str(), mode | 0700U) != 0) throw unwritten(errno);
            return;
        }
        fd_ = ::open(entry_of(content_).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     mode | 0600U);
        if (fd_ < 0) throw unwritten(errno);
        ++files;
        left_ = static_cast<std::size_t>(size);
        if (left_ == 0) close();
    }

    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

    /// The entry's path below what holds all of it.
    fs::path entry_of(const fs::path& top) const { return name_.empty() ? top : top / name_; }
    Error unwritten(int cause) const { return failed(entry_of(final_), std::strerror(cause)); }
    static Error nonsense() { return {ExitCode::failed, "the pod sent what is no copy of files"}; }

    fs::path content_;
    fs::path final_;
    std::string name_{};  // of the entry that comes now
    std::string line_{};
    std::size_t left_ = 0;
    int fd_ = -1;
    Sha256 sum_{};
};

void receive(CopySession& session, Receiver& receiver) {
    session.receive([&](std::string_view bytes) { receiver.take(bytes); }, [&] { return receiver.complete; });
    session.send("\n");  // we have it: it may end
    const int code = session.finish();
    if (code != 0) throw session.failure(code);
    if (!receiver.complete)
        throw Error(ExitCode::failed, "the copy ended too early; nothing was changed here");
}

}  // namespace

Copied copy_out(kube::Client& client, const Target& target, const std::string& inside, const fs::path& local,
                const CopyOptions& options) try {
    fs::path final = local;
    if (fs::is_directory(local) || !local.has_filename()) final = local / name_of(inside);
    if (fs::is_directory(final)) throw failed(final, "is a folder that exists");
    const bool in_the_way = fs::exists(final) && !options.replace;
    if (options.dry_run) {
        const fs::path folder = final.has_parent_path() ? final.parent_path() : fs::path(".");
        if (::access(folder.c_str(), W_OK | X_OK) != 0) throw failed(folder, std::strerror(errno));
        Receiver counter({}, final);
        CopySession session(client, target, options.root, {"list", inside});
        receive(session, counter);
        return {.path = final.string(),
                .in_the_way = in_the_way,
                .files = counter.files,
                .left_out = std::move(counter.left_out)};
    }
    if (in_the_way) return {.path = final.string(), .in_the_way = true};
    const Workplace workplace(final);
    Receiver receiver(workplace.content(), final);
    CopySession session(client, target, options.root, {"get", inside});
    receive(session, receiver);
    if (fs::is_directory(workplace.content()) && fs::exists(final))
        throw failed(final, "is a file, not a folder");
    std::error_code problem;
    fs::rename(workplace.content(), final, problem);
    if (problem) throw failed(final, problem.message());
    return {.path = final.string(), .files = receiver.files, .left_out = std::move(receiver.left_out)};
} catch (const fs::filesystem_error& problem) {
    throw failed(problem.path1(), problem.code().message());
}

}  // namespace hermesctl::hermes
