// SPDX-License-Identifier: Apache-2.0
#include "same_thread/loop_io.hpp"

#include <bridge/detail/report.hpp>
#include <bridge/python_error.hpp>

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/scheduler.hpp>

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
template<class Name, auto Member>
struct exposed {
    friend constexpr auto member(Name) noexcept { return Member; }
};

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

// Calls f with its queue locked and whether that holds more than the reactor's turn.
template<class F>
auto locked(asio::io_context& context, F&& f) {
    auto& in = scheduler_of(context);
    const asio_detail::conditionally_enabled_mutex::scoped_lock lock(in.*member(queue_mutex{}));
    const asio_detail::scheduler_operation* first =
        asio_detail::op_queue_access::front(in.*member(queue{}));
    const bool queued = first != nullptr && (first != &(in.*member(reactor_turn{})) ||
                                             asio_detail::op_queue_access::next(first) != nullptr);
    return f(queued, in.*member(interrupted{}));
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

int loop_io::poll(int most) noexcept {
    int left = most;
    try {
        if (context_.stopped())
            context_.restart();
        while (left > 0 && context_.poll_one() > 0) {
            --left;
            if (!has_handlers())
                break;
        }
    } catch (...) {
        escaped_.push_back(std::current_exception());
    }
    return most - left;
}

void loop_io::end() noexcept {
    work_.reset();
    context_.shutdown();
}

void loop_io::report_escaped(py::handle loop) noexcept {
    for (const auto& error : std::exchange(escaped_, {}))
        report_exception(loop, "Exception escaped an Asio handler", to_python_exception(error));
}

} // namespace bridge::detail
