#include "hermesctl/base/error.hpp"

#include <utility>

namespace hermesctl {

Error::Error(ExitCode code, std::string message, std::string hint)
    : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

void Error::during(std::string frame) {
    trail_.push_back(std::move(frame));
}

Error Error::with_code(ExitCode code) const {
    Error same(*this);
    same.code_ = code;
    return same;
}

Error Error::with_message(std::string message) const {
    Error same(*this);
    same.message_ = std::move(message);
    return same;
}

Error Error::with_hint(std::string hint) const {
    Error same(*this);
    same.hint_ = std::move(hint);
    return same;
}

}  // namespace hermesctl
