// SPDX-License-Identifier: Apache-2.0
#include "output/writer.hpp"

#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/write_whole.hpp"

namespace bridge::cli {

namespace {

constexpr std::chrono::seconds patience{1};

// A terminal that says it has room has at least so much.
constexpr std::size_t least_room = 256;

// Whether a write cannot block. A pipe with room takes PIPE_BUF bytes.
bool takes_at_once(int fd, std::size_t size) {
    struct stat status {};

    if (::fstat(fd, &status) != 0 || S_ISREG(status.st_mode))
        return true; // an error is found by the write
    pollfd one{fd, POLLOUT, 0};
    if (::poll(&one, 1, 0) <= 0)
        return false;
    return (one.revents & POLLOUT) == 0 ||
           size <= (S_ISFIFO(status.st_mode) ? PIPE_BUF : least_room);
}

// They are the main thread's, whose loop they wake.
void block_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

} // namespace

writer::~writer() {
    finish();
}

void writer::write_now(int fd, std::string_view text) {
    if (write_whole(fd, text))
        return;
    const std::error_code error(errno, std::generic_category());
    const std::lock_guard lock(mutex_);
    error_ = error;
    failed_fd_ = fd;
}

void writer::write(int fd, std::string_view text) {
    std::unique_lock lock(mutex_);
    if (text.empty() || fd == failed_fd_)
        return;
    if (queue_.empty() && takes_at_once(fd, text.size())) {
        lock.unlock();
        return write_now(fd, text);
    }
    queue_.push_back({fd, std::string(text)});
    if (!thread_.joinable())
        thread_ = std::thread([this] { run(); });
    changed_.notify_all();
    if (!is_late_)
        is_late_ = !changed_.wait_for(lock, patience, [this] { return queue_.empty(); });
}

void writer::run() {
    block_signals();
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return is_ending_ || !queue_.empty(); });
        if (queue_.empty())
            return;
        const auto& first = queue_.front(); // stays where it is while others are added
        if (first.fd != failed_fd_) {
            lock.unlock();
            write_now(first.fd, first.text);
            lock.lock();
        }
        queue_.pop_front();
        is_late_ = is_late_ && !queue_.empty();
        changed_.notify_all();
    }
}

void writer::finish() {
    if (!thread_.joinable())
        return;
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
    thread_ = {};
    is_ending_ = false;
}

bool writer::is_late() {
    const std::lock_guard lock(mutex_);
    return is_late_;
}

std::error_code writer::error() {
    const std::lock_guard lock(mutex_);
    return error_;
}

writer& console() {
    static writer one;
    return one;
}

} // namespace bridge::cli
