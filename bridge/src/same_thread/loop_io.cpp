// SPDX-License-Identifier: Apache-2.0
#include "same_thread/loop_io.hpp"

#include "same_thread/exposed.hpp"

#include <bridge/detail/report.hpp>
#include <bridge/python_error.hpp>

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/scheduler.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <type_traits>
#include <utility>

namespace bridge::detail {
namespace {

namespace asio = boost::asio;
namespace asio_detail = boost::asio::detail;

#if defined(BOOST_ASIO_HAS_EPOLL) && defined(BOOST_ASIO_HAS_TIMERFD) &&                            \
    !defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
#    define BRIDGE_LOOP_WAITS_FOR_ASIO 1

// Asio has no public way to wait for an io_context together with something else. These five members
// have been the same from Boost 1.66 on; where they are not, this does not compile.
struct queue_mutex {
    friend constexpr auto member(queue_mutex) noexcept;
};

struct queue {
    friend constexpr auto member(queue) noexcept;
};

struct reactor_turn {
    friend constexpr auto member(reactor_turn) noexcept;
};

struct interrupted {
    friend constexpr auto member(interrupted) noexcept;
};

struct reactor_descriptor {
    friend constexpr auto member(reactor_descriptor) noexcept;
};

template struct exposed<queue_mutex, &asio_detail::scheduler::mutex_>;
template struct exposed<queue, &asio_detail::scheduler::op_queue_>;
template struct exposed<reactor_turn, &asio_detail::scheduler::task_operation_>;
template struct exposed<interrupted, &asio_detail::scheduler::task_interrupted_>;
template struct exposed<reactor_descriptor, &asio_detail::epoll_reactor::epoll_fd_>;

asio_detail::scheduler& scheduler_of(asio::io_context& context) {
    return asio::use_service<asio_detail::scheduler>(context);
}

// The type of the mutex is a template in newer versions of Boost.
auto lock_queue(asio_detail::scheduler& in) {
    auto& mutex = in.*member(queue_mutex{});
    return typename std::remove_reference_t<decltype(mutex)>::scoped_lock(mutex);
}

// Calls f with its queue locked and whether that holds more than the reactor's turn.
template<class F>
auto locked(asio::io_context& context, F&& f) {
    auto& in = scheduler_of(context);
    const auto lock = lock_queue(in);
    const asio_detail::scheduler_operation* first =
        asio_detail::op_queue_access::front(in.*member(queue{}));
    const bool queued = first != nullptr && (first != &(in.*member(reactor_turn{})) ||
                                             asio_detail::op_queue_access::next(first) != nullptr);
    return f(queued, in.*member(interrupted{}));
}

// The handler that runs next; null where it would be the reactor's turn.
const void* next_handler(asio::io_context& context) {
    auto& in = scheduler_of(context);
    const auto lock = lock_queue(in);
    const asio_detail::scheduler_operation* first =
        asio_detail::op_queue_access::front(in.*member(queue{}));
    return first != &(in.*member(reactor_turn{})) ? first : nullptr;
}

void start_reactor(asio::io_context& context) {
    asio::use_service<asio_detail::epoll_reactor>(context).init_task();
}

int descriptor_of(asio::io_context& context) {
    return asio::use_service<asio_detail::epoll_reactor>(context).*member(reactor_descriptor{});
}

#else

template<class F>
auto locked(asio::io_context&, F&& f) {
    bool nothing = false;
    return f(false, nothing);
}

const void* next_handler(asio::io_context&) {
    return nullptr;
}

void start_reactor(asio::io_context&) {}

int descriptor_of(asio::io_context&) {
    return -1;
}

#endif

} // namespace

bool loop_io_works() noexcept {
#ifdef BRIDGE_LOOP_WAITS_FOR_ASIO
    return true;
#else
    return false;
#endif
}

loop_io::loop_io() : work_(context_.get_executor()) {
    start_reactor(context_);
}

loop_io::~loop_io() = default;

int loop_io::descriptor() const noexcept {
    return descriptor_of(const_cast<ending<asio::io_context>&>(context_));
}

bool loop_io::has_handlers() noexcept {
    return locked(context_, [](bool queued, bool&) { return queued; });
}

// Nobody is inside it, so Asio would not tell of what is queued: it believes, from here on, that a
// thread waits for the reactor, and interrupts that.
bool loop_io::arm() noexcept {
    return locked(context_, [](bool queued, bool& was_interrupted) {
        was_interrupted = was_interrupted && queued;
        return !queued;
    });
}

void loop_io::disarm() noexcept {
    locked(context_, [](bool, bool& was_interrupted) { was_interrupted = true; });
}

// Asio keeps the order of its own timers: one of them for each of Python's says where that belongs.
// The memory of its operation tells it from others in Asio's queue.
struct loop_io::mark {
    alignas(std::max_align_t) std::byte memory[256];
    bool is_used = false;
};

struct loop_io::marks {
    mark all[python_timers::most_at_once];

    mark* find_free() noexcept {
        auto* const found = std::find_if(std::begin(all), std::end(all),
                                         [](const mark& one) { return !one.is_used; });
        return found != std::end(all) ? found : nullptr;
    }

    bool has(const void* operation) const noexcept {
        return std::greater_equal<>()(operation, static_cast<const void*>(all)) &&
               std::less<>()(operation, static_cast<const void*>(std::end(all)));
    }
};

namespace {

// Where the memory is: no other is ever asked for.
template<class T>
struct memory_of_mark {
    using value_type = T;

    explicit memory_of_mark(void* where) noexcept : memory(where) {}

    template<class U>
    memory_of_mark(const memory_of_mark<U>& other) noexcept : memory(other.memory) {}

    T* allocate(std::size_t) {
        static_assert(sizeof(T) <= 256);
        return static_cast<T*>(memory);
    }

    void deallocate(T*, std::size_t) noexcept {}

    template<class U>
    bool operator==(const memory_of_mark<U>& other) const noexcept {
        return memory == other.memory;
    }

    void* memory;
};

template<class F>
struct handler_of_mark {
    using allocator_type = memory_of_mark<std::byte>;

    allocator_type get_allocator() const noexcept { return allocator_type(memory); }

    void operator()(const boost::system::error_code& error) { call(error); }

    void* memory;
    F call;
};

} // namespace

void loop_io::set_marks(const python_timers& python) {
    if (!marks_memory_)
        marks_memory_ = std::make_unique<marks>();
    marks_.clear();
    marks_.reserve(python.deadlines.size());
    for (const auto deadline : python.deadlines) {
        auto* const one = marks_memory_->find_free();
        if (one == nullptr)
            return;
        one->is_used = true;
        auto call = [this, one, deadline](const boost::system::error_code& error) {
            one->is_used = false;
            ran_mark_ = true;
            if (!error)
                passed_ = std::max(passed_, deadline);
        };
        marks_.emplace_back(context_, python_timers::time_of(deadline))
            .async_wait(handler_of_mark<decltype(call)>{one->memory, call});
    }
}

// A mark that is queued behind what was left stays: it comes in the next turn.
int loop_io::poll_marked(int most, python_timers& python) {
    int ran = 0;
    passed_ = not_passed;
    ran_mark_ = false;
    set_marks(python);
    while (ran < most) {
        const bool passed = passed_ != not_passed;
        const void* const upcoming = passed ? next_handler(context_) : nullptr;
        python.stopped = upcoming != nullptr && !marks_memory_->has(upcoming);
        if (python.stopped || (passed && upcoming == nullptr) || context_.poll_one() == 0)
            break;
        ran += std::exchange(ran_mark_, false) ? 0 : 1;
    }
    python.passed = passed_;
    marks_.clear();
    return ran;
}

int loop_io::poll(int most, python_timers& python) noexcept {
    int ran = 0;
    python.stopped = false;
    try {
        if (context_.stopped())
            context_.restart();
        if (!python.deadlines.empty())
            return poll_marked(most, python);
        while (ran < most && context_.poll_one() > 0) {
            ++ran;
            if (!has_handlers())
                break;
        }
    } catch (...) {
        escaped_.push_back(std::current_exception());
    }
    return ran;
}

void loop_io::end() noexcept {
    work_.reset();
    context_.shutdown();
}

void loop_io::report_escaped(py::handle loop) noexcept {
    for (const auto& error : std::exchange(escaped_, {}))
        report_native_error(loop, "Exception escaped an Asio handler", error);
}

} // namespace bridge::detail
