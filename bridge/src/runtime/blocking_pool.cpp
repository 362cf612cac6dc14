// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/blocking_pool.hpp>

#include <bridge/error.hpp>
#include <bridge/executor.hpp>
#include <bridge/task_locals.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <utility>

#include <unistd.h>

namespace bridge::detail {

// Carries the caller's locals to the thread, and nothing else is queued on it. Known by its name to
// other modules too, so it has one.
class job_strand final : public strand {
public:
    using strand::strand;
};

namespace {

namespace asio = boost::asio;

unsigned thread_count() {
    return std::min(32U, std::thread::hardware_concurrency() + 4);
}

// Leaked on purpose: a function that never returns must not keep the process from its end.
asio::thread_pool& pool() {
    static std::mutex mutex;
    static asio::thread_pool* threads = nullptr;
    static pid_t owner = 0;
    const std::lock_guard lock(mutex);
    if (owner != ::getpid()) { // also in the child of a fork, which has none of the threads
        threads = new asio::thread_pool(thread_count());
        owner = ::getpid();
    }
    return *threads;
}

constinit std::atomic<std::size_t> jobs{0};

// One of these jobs, as long as it lives.
class counted {
public:
    counted() noexcept { jobs.fetch_add(1, std::memory_order_relaxed); }

    counted(counted&& other) noexcept : counts_(std::exchange(other.counts_, false)) {}

    counted& operator=(counted&&) = delete;

    ~counted() {
        if (counts_)
            jobs.fetch_sub(1, std::memory_order_release);
    }

private:
    bool counts_ = true;
};

class as_handler {
public:
    as_handler() {
        const auto* here = strand::current();
        if (here == nullptr)
            return;
        if (!here->locals())
            look_for_locals();
        on_ =
            intrusive_ptr<strand>::adopt(new job_strand(here->on(), here->locals(), here->slot()));
    }

    void run(blocking_job& job) {
        if (!on_)
            return job.run();
        on_->run_held([&job] { job.run(); });
        on_->leave();
    }

private:
    // In a coroutine's first step the strand has not got them yet.
    static void look_for_locals() {
        try {
            current_locals();
        } catch (const boost::system::system_error&) {
            return; // driven by hand, without a loop: the function runs without locals
        }
    }

    intrusive_ptr<strand> on_;
};

} // namespace

void submit(std::shared_ptr<blocking_job> job) {
    asio::post(pool(), [job = std::move(job), handler = as_handler(), one = counted()]() mutable {
        handler.run(*job);
        job.reset();
    });
}

std::size_t count_blocking_jobs() noexcept {
    return jobs.load(std::memory_order_acquire);
}

bool runs_blocking_job() noexcept {
    return dynamic_cast<const job_strand*>(strand::current()) != nullptr;
}

} // namespace bridge::detail
