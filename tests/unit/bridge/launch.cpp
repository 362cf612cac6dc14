// SPDX-License-Identifier: Apache-2.0
// A coroutine that suspends is given away, and may be over before its await_suspend has returned:
// from then on nothing may touch its frame. GCC before 15.3 does (bug 121961) if the coroutine has
// begun at once, when it was called.
#include "check.hpp"

#include <bridge/detail/launch.hpp>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <new>

namespace {

using namespace bridge::detail;
using entry_awaitable = boost::asio::awaitable<entry_point>;

constexpr int poison = 0xee;
alignas(std::max_align_t) unsigned char memory[4096];
int frames_freed = 0;

struct watched {};

/// A frame in memory that shows what is written there after its end.
struct watched_frame : asio_detail::awaitable_frame<entry_point, boost::asio::any_io_executor> {
    static void* operator new(std::size_t size) {
        if (size > sizeof memory)
            throw std::bad_alloc();
        return memory;
    }

    static void operator delete(void*, std::size_t) noexcept {
        ++frames_freed;
        std::memset(memory, poison, sizeof memory);
    }
};

} // namespace

template<class... Arguments>
struct std::coroutine_traits<entry_awaitable, watched, Arguments...> {
    using promise_type = watched_frame;
};

namespace {

entry_awaitable end_while_suspending(watched, bool& has_ended) {
    const auto resume_here = [](suspended coroutine) { coroutine.resume(); };
    co_await suspend_to(resume_here);
    has_ended = true;
}

TEST("nothing touches the frame of a coroutine that ended before its await_suspend returned") {
    boost::asio::io_context context;
    bool has_ended = false;
    const boost::asio::cancellation_slot slot;
    coroutine_thread thread(end_while_suspending({}, has_ended), context.get_executor(), slot,
                            boost::asio::cancellation_state(slot));
    thread.launch();
    CHECK(has_ended);
    CHECK(frames_freed == 1);
    CHECK(std::count(std::begin(memory), std::end(memory), poison) == sizeof memory);
}

TEST("a request to stop is heard by the cancellation state that was made last") {
    using boost::asio::cancellation_type;
    int first_heard = 0, second_heard = 0;
    cancellation_place place;
    place.emit(cancellation_type::all); // by nobody

    const auto first = place.make_state();
    first.slot().assign([&](cancellation_type) { ++first_heard; });
    place.emit(cancellation_type::all);
    CHECK(first_heard == 1);
    CHECK(first.cancelled() == cancellation_type::terminal);

    // As this_coro::reset_cancellation_state does it.
    const boost::asio::cancellation_state second(place.slot(),
                                                 boost::asio::enable_total_cancellation());
    second.slot().assign([&](cancellation_type) { ++second_heard; });
    place.emit(cancellation_type::all);
    CHECK(first_heard == 1);
    CHECK(second_heard == 1);
    CHECK(second.cancelled() == boost::asio::enable_total_cancellation()(cancellation_type::all));
}

} // namespace

int main() {
    return check::run();
}
