// A descriptor as an input stream that Ctrl-C ends. std::cin reads on after a signal, so that the first one
// is lost on who waits for input.
#pragma once

#include <array>
#include <streambuf>

namespace hermesctl {

class DescriptorInput : public std::streambuf {
  public:
    /// Does not close it.
    explicit DescriptorInput(int fd) : fd_(fd) {}

  protected:
    /// Once interrupted it is at its end: who reads all of it calls throw_if_interrupted() afterwards.
    int_type underflow() override;

  private:
    int fd_;
    std::array<char, 4096> block_{};
};

}  // namespace hermesctl
