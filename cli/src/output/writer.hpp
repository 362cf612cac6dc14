// SPDX-License-Identifier: Apache-2.0
// Writing to readers that may stop reading: a pager, a terminal after Ctrl-S, a pipe.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace bridge::cli {

/// Keeps the order of what is written, to all its descriptors. Who reads in time gets every text
/// before write() returns; who does not is waited for a second, and then served by a thread, so
/// that time-outs and signals go on.
class writer {
public:
    writer() = default;
    writer(const writer&) = delete;
    writer& operator=(const writer&) = delete;

    /// As finish().
    ~writer();

    /// A descriptor that fails is not written to any more.
    void write(int fd, std::string_view text);

    /// Waits until all is written, however long that takes.
    void finish();

    /// Whether a reader has been waited for and has still not taken everything.
    bool is_late();

    /// Why a write has failed.
    std::error_code error();

private:
    struct piece {
        int fd;
        std::string text;
    };

    void run();
    void write_now(int fd, std::string_view text);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<piece> queue_; // its first is being written
    std::error_code error_;
    int failed_fd_ = -1;
    bool is_late_ = false; // the reader was waited for
    bool is_ending_ = false;
    std::thread thread_;
};

/// The one of stdout and stderr.
writer& console();

} // namespace bridge::cli
