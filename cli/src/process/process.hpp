// SPDX-License-Identifier: Apache-2.0
// One child process in a process group of its own, with its pipes.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace bridge::cli {

struct command {
    std::string program; ///< absolute path
    std::vector<std::string> arguments;
    std::vector<std::string> environment; ///< NAME=value, on top of our own environment
    std::string working_directory;        ///< empty: ours
};

/// How a child's descriptors are connected; stdin is always /dev/null.
enum class wiring {
    listing,            ///< `output` = stdout, `messages` = stderr
    captured_test,      ///< `output` = stdout and stderr interleaved, `messages` = event_descriptor
    uncaptured_test,    ///< stdout and stderr are ours, `messages` = event_descriptor
    captured_session,   ///< as captured_test, `control` = control_descriptor
    uncaptured_session, ///< as uncaptured_test, `control` = control_descriptor
};

/// The numbers that the event pipe and the control socket have in a test process.
inline constexpr int event_descriptor = 3;
inline constexpr int control_descriptor = 4;

/// Owns a file descriptor.
class unique_fd {
public:
    unique_fd() = default;

    explicit unique_fd(int fd) noexcept : fd_(fd) {}

    unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

    unique_fd& operator=(unique_fd other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

    ~unique_fd();

    int get() const noexcept { return fd_; }

    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

/// "signal 11 (SIGSEGV)".
std::string describe_signal(int number);

struct exit_status {
    bool by_signal = false;
    int number = 0; ///< exit code or signal

    bool is_exit(int code) const noexcept { return !by_signal && number == code; }

    /// "exit code 3" or "signal 11 (SIGSEGV)".
    std::string describe() const;
};

/// A process group, by its leader; a default one is none, and nothing is sent to it.
class process_group {
public:
    process_group() = default;

    explicit process_group(int leader) noexcept : leader_(leader) {}

    int leader() const noexcept { return leader_; }

    /// Also to the leader, even if it has left the group.
    void signal(int number) const noexcept;
    void signal_leader(int number) const noexcept;

    /// Whether the leader has a handler for the signal; false if the system does not tell.
    bool leader_catches(int number) const;

    /// By which signal the leader, a child of ours, is stopped; 0 if it is not.
    int stop_signal() const noexcept;

private:
    int leader_ = 0;
};

/// Becomes the program, in this process; throws std::system_error.
[[noreturn]] void replace_process(const command& what);

/// A started child. Its process group is alive until reap().
class process {
public:
    /// Starts the child and waits until it runs the program; throws std::system_error.
    process(const command& what, wiring how);
    process(process&&) noexcept = default;

    int pid() const noexcept { return pid_; }

    process_group group() const noexcept { return process_group(pid_); }

    /// The reading ends, not blocking; empty if `wiring` has none. The caller takes them.
    unique_fd output;
    unique_fd messages;
    unique_fd control;

    /// True once the child has ended. It stays a zombie, so that its number is not given away.
    bool has_ended() const noexcept;

    /// After has_ended(): kills what is left of the group and collects the child.
    exit_status reap() noexcept;

private:
    int pid_ = -1;
};

} // namespace bridge::cli
