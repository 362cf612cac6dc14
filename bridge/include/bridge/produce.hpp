// SPDX-License-Identifier: Apache-2.0
// What other threads send into an Asio channel, as a generator.
#pragma once

#include <bridge/detail/receive.hpp>
#include <bridge/generator.hpp>
#include <bridge/with_timeout.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bridge {

/// What a producer sends into, from any thread: `co_await to.async_send({}, item, use_awaitable)`.
/// An error code in place of the empty one ends the generator by that error.
template<class T>
using channel = boost::asio::experimental::concurrent_channel<void(boost::system::error_code, T)>;

struct produce_options {
    /// How many items may wait to be taken; then a send waits.
    std::size_t buffer = 0;
};

namespace detail {

/// What a producer and the generator that it feeds share.
template<class T>
struct production {
    production(const boost::asio::any_io_executor& threads, std::size_t buffer)
        : on(boost::asio::make_strand(threads)), items(threads, buffer) {}

    boost::asio::strand<boost::asio::any_io_executor> on;
    channel<T> items;
    boost::asio::cancellation_signal stop; // on's
    std::exception_ptr error;              // of the producer; once its end was received
    std::atomic<bool> has_ended{false};
};

template<class T, class F>
boost::asio::awaitable<void> run_producer(std::shared_ptr<production<T>> of, F producer) {
    co_await producer(of->items);
}

/// Its end is the last thing that comes out of the channel.
template<class T, class F>
void start_producer(const std::shared_ptr<production<T>>& of, F producer) {
    namespace asio = boost::asio;
    auto ended = [of](std::exception_ptr error) {
        of->error = std::move(error);
        of->has_ended = true;
        of->items.async_send(asio::error::eof, T(), [](boost::system::error_code) {});
    };
    asio::co_spawn(
        of->on, run_producer(of, std::move(producer)),
        asio::bind_cancellation_slot(of->stop.slot(), asio::bind_executor(of->on, ended)));
}

/// Asks the producer to stop, once.
template<class T>
void stop_producer(std::shared_ptr<production<T>> of) {
    auto& on = of->on;
    boost::asio::post(on,
                      [of = std::move(of)] { of->stop.emit(boost::asio::cancellation_type::all); });
}

/// Receives meanwhile: the producer may block its executor until somebody does.
template<class T>
boost::asio::awaitable<void> end_producer(std::shared_ptr<production<T>> of) {
    namespace asio = boost::asio;
    stop_producer(of);
    boost::system::error_code error;
    while (error != asio::error::eof || !of->has_ended)
        error = std::get<0>(co_await of->items.async_receive(asio::as_tuple(asio::use_awaitable)));
    co_await asio::post(of->on, asio::use_awaitable); // nor is the request left there
}

/// A frame that is destroyed unfinished waits for nobody.
template<class T>
struct producer_guard {
    std::shared_ptr<production<T>> of;

    ~producer_guard() {
        if (of)
            stop_producer(std::move(of));
    }
};

template<class T, class F>
generator<T> produced(boost::asio::any_io_executor on, F producer, std::size_t buffer) {
    namespace asio = boost::asio;
    const auto of = std::make_shared<production<T>>(on, buffer);
    start_producer(of, std::move(producer));
    producer_guard<T> guard{of};
    std::exception_ptr error;
    boost::system::error_code ended;
    try {
        for (;;) {
            auto [code, item] =
                co_await of->items.async_receive(asio::as_tuple(asio::use_awaitable));
            if ((ended = code))
                break;
            co_yield std::move(item);
        }
    } catch (...) {
        error = std::current_exception();
    }
    const bool ended_by_itself = !error && ended == asio::error::eof && of->has_ended;
    if (!ended_by_itself) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await end_producer(of);
        if (!error && ended == asio::experimental::error::channel_cancelled)
            ended = asio::error::operation_aborted;
        if (!error && ended != asio::error::eof)
            error = std::make_exception_ptr(boost::system::system_error(ended));
    }
    guard.of.reset();
    if (of->error && (ended_by_itself || !is_cancellation(of->error)))
        std::rethrow_exception(of->error);
    if (error)
        std::rethrow_exception(error);
}

template<class T, class Channel>
generator<T> received(std::shared_ptr<Channel> from) {
    namespace asio = boost::asio;
    auto receiver = receiver_of<T>(std::move(from));
    for (;;) {
        auto [ended, item] = co_await receiver.receive();
        if (ended == asio::error::eof || ended == asio::experimental::error::channel_closed)
            co_return;
        if (ended == asio::experimental::error::channel_cancelled)
            ended = asio::error::operation_aborted;
        if (ended)
            throw boost::system::system_error(ended);
        co_yield std::move(item);
    }
}

template<class T, class Channel>
generator<T> receive_all(std::shared_ptr<Channel> from) {
    if (!from)
        throw std::invalid_argument("produce: there is no channel: the pointer is null");
    return received<T>(std::move(from));
}

} // namespace detail

/// A generator of what a producer, a coroutine on an executor of its own, sends into a channel. The
/// producer is called when Python asks for the first item: on that executor, with the channel,
/// which lives until both have ended. With `buffer` items waiting a send waits, and a try_send says
/// no. The executor's context must outlive the generator.
/// Resumes: the producer on its executor, one handler at a time; the generator as any other.
/// GIL: not held by either.
/// Cancel: where the generator is cancelled or closed, the producer is cancelled, once, and the
/// generator ends after it; items that nobody has taken are dropped.
/// Throws: in Python, after the items, what the producer throws.
/// `return bridge::produce<int>(pool.get_executor(), &count_up, {.buffer = 64});`
template<class T, class F>
generator<T> produce(boost::asio::any_io_executor on, F producer, produce_options options = {}) {
    static_assert(
        std::is_same_v<std::invoke_result_t<F&, channel<T>&>, boost::asio::awaitable<void>>,
        "produce: the producer is a coroutine, awaitable<void>(bridge::channel<T>&)");
    static_assert(std::is_default_constructible_v<T>,
                  "produce: an Asio channel ends by an error and a T that says nothing: T has to "
                  "be default constructible; std::optional<T> is");
    return detail::produced<T>(std::move(on), std::move(producer), options.buffer);
}

/// A generator of what is sent into an Asio channel of one's own, by whoever and from any thread;
/// the channel lives at least as long as the generator. Each item is received when Python asks for
/// it. The end: the channel is closed, or asio::error::eof is sent, which comes after the items
/// (close() drops what is buffered in Boost 1.81). Several generators of one channel share its
/// items: each goes to one of them.
/// Resumes: as any generator. A concurrent_channel is received from on any thread, a channel on its
/// own executor, which then has to run one handler at a time.
/// GIL: not held.
/// Cancel: where the generator is cancelled or closed, the channel goes on, with all that was not
/// received; another generator may follow. What a cancelled step has received already is this
/// generator's next item, and is dropped if it is closed.
/// Throws: std::invalid_argument for a null pointer. In Python, an error code that was sent, as
/// system_error; CancelledError where somebody else cancels the channel's operations.
/// `return bridge::produce(std::shared_ptr<bridge::channel<int>>(self, &self->ticks));`
template<class Executor, class Traits, class T>
generator<T> produce(std::shared_ptr<boost::asio::experimental::basic_concurrent_channel<
                         Executor, Traits, void(boost::system::error_code, T)>>
                         from) {
    return detail::receive_all<T>(std::move(from));
}

template<class Executor, class Traits, class T>
generator<T> produce(std::shared_ptr<boost::asio::experimental::basic_channel<
                         Executor, Traits, void(boost::system::error_code, T)>>
                         from) {
    return detail::receive_all<T>(std::move(from));
}

} // namespace bridge
