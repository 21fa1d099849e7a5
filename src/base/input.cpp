#include "hermesctl/base/input.hpp"

#include "hermesctl/base/interrupt.hpp"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace hermesctl {

DescriptorInput::int_type DescriptorInput::underflow() {
    while (!interrupted()) {
        std::array<pollfd, 2> fds{pollfd{fd_, POLLIN, 0}, pollfd{interrupt_fd(), POLLIN, 0}};
        ::poll(fds.data(), fds.size(), -1);
        if (fds[0].revents == 0) continue;
        const ssize_t count = ::read(fd_, block_.data(), block_.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count <= 0) break;
        setg(block_.data(), block_.data(), block_.data() + count);
        return traits_type::to_int_type(block_[0]);
    }
    return traits_type::eof();
}

}  // namespace hermesctl
