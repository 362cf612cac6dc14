// SPDX-License-Identifier: Apache-2.0
// Reads one pipe of a child into a sink, as it comes.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "process/process.hpp"

namespace bridge::cli {

class pipe_reader {
public:
    using sink = std::function<void(std::string_view)>;

    explicit pipe_reader(boost::asio::io_context& context) : descriptor_(context) {}

    /// Begins to read, while `owner` lives. No descriptor: the pipe is at its end.
    void open(unique_fd fd, const std::weak_ptr<void>& owner);

    /// What is read from now on goes there.
    void set_sink(sink to) { sink_ = std::move(to); }

    /// Reads what is in the pipe now.
    void drain();

    void close() noexcept;

    /// Whether anything else still holds the writing end, as far as is known.
    bool is_open() const noexcept { return is_open_; }

    /// Writes all of it; a peer that has gone is noticed when it is read from.
    void write(std::string_view text);

private:
    void wait(const std::weak_ptr<void>& owner);
    std::size_t read();

    boost::asio::posix::stream_descriptor descriptor_;
    sink sink_;
    bool is_open_ = false;
    std::array<char, 64 * 1024> buffer_{};
};

} // namespace bridge::cli
