// A round of reads: each part says what it needs, all of it is asked for at once, and what two parts need
// only once.
#pragma once

#include "hermesctl/kube/client.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace hermesctl::kube {

class Round {
  public:
    explicit Round(Client& client) : client_(client) {}

    /// What: a Ref, a Listing, or any path.
    template <typename What>
    void want(const What& what) {
        add(read_of(what));
    }
    /// Asks for all that is wanted and has no answer yet.
    void run();
    /// What run() gave for something that was wanted.
    template <typename What>
    const Outcome& of(const What& what) const {
        return answers_.at(read_of(what).path);
    }
    /// The same where nobody else needs it any more: lists can be large.
    template <typename What>
    Outcome take(const What& what) {
        return std::move(answers_.at(read_of(what).path));
    }

  private:
    void add(Read);

    Client& client_;
    std::vector<Read> open_{};
    std::map<std::string, Outcome> answers_{};  // by path
};

}  // namespace hermesctl::kube
