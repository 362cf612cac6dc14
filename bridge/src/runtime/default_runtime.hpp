// SPDX-License-Identifier: Apache-2.0
// Where the default runtime of this image lives.
#pragma once

#include <bridge/runtime.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace bridge::detail {

/// Raw pointers, so that no destructor runs at the end of the process: threads left behind may use
/// what is here.
struct default_runtime_home {
    std::mutex mutex;
    std::atomic<runtime*> running = nullptr; ///< written under the mutex
    /// Those that were shut down, to which somebody may still refer; never destroyed.
    std::vector<runtime*>* others = nullptr;

    void begin(std::unique_ptr<runtime> made);
    void retire(runtime* ended);
};

extern default_runtime_home own_default_runtime;

/// The default runtime's context, for I/O objects on an executor that has none of its own (any
/// more). It lives for as long as this, whatever becomes of the runtime.
class default_context {
public:
    default_context() = default;
    default_context(const default_context&) = delete;
    default_context& operator=(const default_context&) = delete;
    ~default_context();

    /// Any thread, no GIL. Throws runtime_stopped, and what starting the default runtime throws.
    boost::asio::execution_context& get();

private:
    struct kept;

    boost::asio::execution_context& keep(std::shared_ptr<boost::asio::execution_context> context);

    std::atomic<kept*> first_ = nullptr; // without a lock, which a fork could leave locked
};

/// Ends the default runtimes of all images at interpreter exit, each within its exit_deadline.
void end_default_runtimes() noexcept;

} // namespace bridge::detail
