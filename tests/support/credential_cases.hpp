// The settings of testdata/credentials.txt: those that are a credential ("yes"), and those that only look
// like one.
#pragma once

#include <fstream>
#include <string>
#include <vector>

namespace hermesctl::testing {

struct CredentialCase {
    bool is = false;
    std::string setting{};  // a line of YAML
};

inline std::vector<CredentialCase> credential_cases() {
    std::ifstream file(std::string(TESTS_DIR) + "/testdata/credentials.txt");
    std::vector<CredentialCase> cases;
    for (std::string line; std::getline(file, line);)
        if (!line.starts_with('#')) cases.push_back({line.starts_with("yes "), line.substr(4)});
    return cases;
}

}  // namespace hermesctl::testing
