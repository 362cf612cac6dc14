// SPDX-License-Identifier: Apache-2.0
// A C++ coroutine that waits for something to happen to a stream.
#pragma once

#include <bridge/detail/launch.hpp>
#include <bridge/error.hpp>

#include <atomic>
#include <exception>
#include <optional>

namespace bridge::detail {

class stream_state;

/// Lives in the frame of the waiting coroutine, and in a place of the stream until somebody takes
/// it from there, who then resumes it: the stream, or a cancellation.
class stream_wait {
public:
    using place = std::atomic<stream_wait*>;

    /// What makes it wait no longer; asked once it is in its place.
    using question = bool (*)(stream_state& of);

    stream_wait(stream_state& of, place& in, question is_over) noexcept
        : of_(of), place_(in), is_over_(is_over) {
        resume_.owner = this;
        resume_.run = &run_resume;
    }

    stream_wait(const stream_wait&) = delete;
    stream_wait& operator=(const stream_wait&) = delete;

    /// The coroutine is suspended. As a handler of its executor, without the GIL.
    void operator()(suspended coroutine) noexcept;

    /// Takes what waits there; null where nothing does. Any thread.
    static stream_wait* take(place& from) noexcept {
        return from.exchange(nullptr, std::memory_order_acq_rel);
    }

    /// Resumes the coroutine on its executor; by whoever has taken this. Any thread, no GIL.
    void wake(std::exception_ptr error = nullptr) noexcept;

    void rethrow() {
        if (error_)
            std::rethrow_exception(std::exchange(error_, nullptr));
    }

private:
    struct resume_task : strand_task {
        stream_wait* owner = nullptr;
    };

    static void run_resume(strand_task* self, bool call);
    void connect_cancellation();
    void resume();
    bool give_back() noexcept;

    stream_state& of_;
    place& place_;
    question is_over_;
    resume_task resume_;
    std::optional<suspended> coroutine_;
    intrusive_ptr<strand> strand_; // where its executor is ours
    std::exception_ptr error_;
};

} // namespace bridge::detail
