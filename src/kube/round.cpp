#include "hermesctl/kube/round.hpp"

#include <algorithm>

namespace hermesctl::kube {

void Round::add(Read read) {
    const bool known =
        answers_.contains(read.path) || std::ranges::find(open_, read.path, &Read::path) != open_.end();
    if (!known) open_.push_back(std::move(read));
}

void Round::run() {
    if (open_.empty()) return;
    std::vector<Outcome> answers = client_.read_all(open_);
    for (std::size_t i = 0; i < open_.size(); ++i)
        answers_[open_[i].path] = std::move(answers[i]);
    open_.clear();
}

}  // namespace hermesctl::kube
