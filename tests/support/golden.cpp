#include "support/golden.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace hermesctl::testing {
namespace {

std::filesystem::path place_of(const std::string& path) {
    if (path.starts_with("docs/")) return std::filesystem::path(SOURCE_DIR) / path;
    return std::filesystem::path(TESTS_DIR) / "golden" / path;
}

}  // namespace

void expect_golden(const std::string& path, const std::string& actual) {
    const std::filesystem::path place = place_of(path);
    if (std::getenv("HERMESCTL_ACCEPT") != nullptr) {
        std::filesystem::create_directories(place.parent_path());
        std::ofstream(place, std::ios::binary) << actual;
        GTEST_SKIP() << "accepted " << path;
    }
    std::ifstream file(place, std::ios::binary);
    ASSERT_TRUE(file) << place << " is missing; HERMESCTL_ACCEPT=1 writes it";
    std::ostringstream expected;
    expected << file.rdbuf();
    EXPECT_EQ(expected.str(), actual) << "HERMESCTL_ACCEPT=1 rewrites " << path;
}

}  // namespace hermesctl::testing
