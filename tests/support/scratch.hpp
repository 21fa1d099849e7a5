// A directory of a test's own, removed with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace hermesctl::testing {

class Scratch {
  public:
    Scratch() {
        std::string name = (std::filesystem::temp_directory_path() / "hermesctl.XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    std::string path(const std::string& name = "") const { return (path_ / name).string(); }
    /// Writes a file (directories are made) and returns its path.
    std::string write(const std::string& name, const std::string& text, bool program = false) const {
        const auto file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
        if (program) std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        return file.string();
    }

  private:
    std::filesystem::path path_{};
};

}  // namespace hermesctl::testing
