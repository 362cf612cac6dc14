// SPDX-License-Identifier: Apache-2.0
// Reading pipes.
#include "process/pipe_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace bridge::cli {

namespace asio = boost::asio;

namespace {

// What the ended process wrote is in the pipe already (at most the pipe's size); more than this
// comes from a process that it left behind, and nobody waits for those.
constexpr std::size_t drain_limit = 4 * 1024 * 1024;

} // namespace

void pipe_reader::open(unique_fd fd, const std::weak_ptr<void>& owner) {
    if (fd.get() < 0)
        return;
    descriptor_.assign(fd.release());
    descriptor_.non_blocking(true);
    is_open_ = true;
    wait(owner);
}

// Waits and then reads, rather than asynchronously reading: bytes that a read has taken while its
// handler is still queued would be lost to a drain() that comes before it.
void pipe_reader::wait(const std::weak_ptr<void>& owner) {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this, owner](boost::system::error_code error) {
                               const auto alive = owner.lock();
                               if (error || !alive || !is_open_)
                                   return;
                               read();
                               if (is_open_)
                                   wait(owner);
                           });
}

// Returns how much it read, 0 when there is nothing to read for now or for ever.
std::size_t pipe_reader::read() {
    boost::system::error_code error;
    const auto size = descriptor_.read_some(asio::buffer(buffer_), error);
    if (size > 0 && sink_)
        sink_({buffer_.data(), size});
    else if (size == 0 && error != asio::error::would_block)
        is_open_ = false;
    return size;
}

void pipe_reader::drain() {
    for (std::size_t total = 0; is_open_ && total < drain_limit;) {
        const auto size = read();
        if (size == 0)
            return;
        total += size;
    }
}

void pipe_reader::close() noexcept {
    boost::system::error_code ignored;
    is_open_ = false;
    descriptor_.close(ignored);
}

void pipe_reader::write(std::string_view text) {
    boost::system::error_code ignored;
    asio::write(descriptor_, asio::buffer(text), ignored);
}

} // namespace bridge::cli
