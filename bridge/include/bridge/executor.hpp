// SPDX-License-Identifier: Apache-2.0
// The Asio executor that crossings run on: one handler at a time, with the locals they work for.
#pragma once

#include <bridge/detail/memory.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/version.hpp>

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/version.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace bridge {
namespace detail {

/// In the names of types of which Asio keeps tables: some linkers merge such tables over all images
/// of a process, which must not happen between two versions.
inline constexpr long build_number = BRIDGE_ABI_VERSION * 1'000'000L + BOOST_VERSION;

/// A function object waiting on a strand.
template<class F>
struct function_task final : strand_task, pooled {
    explicit function_task(F&& f) : function(std::move(f)) { run = &run_or_destroy; }

    static void run_or_destroy(strand_task* self, bool call) {
        std::unique_ptr<function_task> owned(static_cast<function_task*>(self));
        if (!call)
            return;
        F function(std::move(owned->function));
        owned.reset(); // before the call: it may end in a new one of the same size
        function();
    }

    F function;
};

} // namespace detail

template<bool Blocking, long Build = detail::build_number>
class basic_executor;

namespace detail {

basic_executor<true> executor_of(intrusive_ptr<strand> its) noexcept;
strand* strand_of(const basic_executor<true>& its) noexcept;

} // namespace detail

/// A serial executor, as asio::strand is: handlers run one at a time on the threads of its runtime,
/// without the GIL, and see its locals as current_locals(). One pointer wide, so any_io_executor
/// holds it without allocating. Made by the crossings; get it by co_await this_coro::executor.
template<bool Blocking, long Build>
class basic_executor {
public:
    template<bool Other>
    basic_executor(const basic_executor<Other, Build>& other) noexcept : strand_(other.strand_) {}

    /// Runs f now if its turn is now and the executor may block, else queues it.
    template<class F>
    void execute(F&& f) const {
        using function = std::decay_t<F>;
        if constexpr (Blocking) {
            if (detail::strand::current() == strand_.get())
                return function(std::forward<F>(f))();
            if (strand_->on().is_own_thread() && strand_->try_hold()) {
                function now(std::forward<F>(f));
                return run_now(now);
            }
        }
        strand_->post(new detail::function_task<function>(function(std::forward<F>(f))));
    }

    basic_executor<false> require(boost::asio::execution::blocking_t::never_t) const noexcept {
        return basic_executor<false>(strand_);
    }

    basic_executor<true> require(boost::asio::execution::blocking_t::possibly_t) const noexcept {
        return basic_executor<true>(strand_);
    }

    static constexpr boost::asio::execution::blocking_t
    query(boost::asio::execution::blocking_t) noexcept {
        if constexpr (Blocking)
            return boost::asio::execution::blocking.possibly;
        else
            return boost::asio::execution::blocking.never;
    }

    boost::asio::execution_context& query(boost::asio::execution::context_t) const {
        return strand_->io_context();
    }

    friend bool operator==(const basic_executor& a, const basic_executor& b) noexcept {
        return a.strand_.get() == b.strand_.get();
    }

    friend bool operator!=(const basic_executor& a, const basic_executor& b) noexcept {
        return a.strand_.get() != b.strand_.get();
    }

private:
    template<bool, long>
    friend class basic_executor;
    friend basic_executor<true> detail::executor_of(detail::intrusive_ptr<detail::strand>) noexcept;
    friend detail::strand* detail::strand_of(const basic_executor<true>&) noexcept;

    explicit basic_executor(detail::intrusive_ptr<detail::strand> strand) noexcept
        : strand_(std::move(strand)) {}

    template<class F>
    void run_now(F& f) const {
        struct call final : detail::strand_task {
            F* function;
        };

        call task;
        task.function = &f;
        task.run = [](detail::strand_task* self, bool) { (*static_cast<call*>(self)->function)(); };
        strand_->run_and_leave(&task);
    }

    detail::intrusive_ptr<detail::strand> strand_;
};

using executor = basic_executor<true>;

namespace detail {

/// The executor of a strand.
/// GIL: not needed.
inline executor executor_of(intrusive_ptr<strand> its) noexcept {
    return executor(std::move(its));
}

inline strand* strand_of(const executor& its) noexcept {
    return its.strand_.get();
}

/// A free serial executor of its own, with the slot of the handler that runs here.
/// GIL: not needed, on any thread.
executor make_executor(scheduler& on, task_locals locals);

} // namespace detail

/// The opaque slot of the handler that runs on this thread, or null: set where a crossing was
/// launched, inherited by what it spawned on its executor.
/// GIL: not needed.
inline void* current_slot() noexcept {
    const auto* strand = detail::strand::current();
    return strand != nullptr ? strand->slot() : nullptr;
}

} // namespace bridge
