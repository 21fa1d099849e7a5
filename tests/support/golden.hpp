// Golden files: expected output kept beside the tests. HERMESCTL_ACCEPT=1 rewrites them and skips the test,
// so that an accepting run can never look like a pass.
#pragma once

#include <string>

namespace hermesctl::testing {

/// Compares with tests/golden/PATH (or, with a path that starts with "docs/", with that file of the project).
void expect_golden(const std::string& path, const std::string& actual);

}  // namespace hermesctl::testing
