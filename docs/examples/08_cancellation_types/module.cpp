// SPDX-License-Identifier: Apache-2.0
// Which kinds of cancellation an Asio operation sees when Python cancels.
#include <bridge/bridge.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <string>

namespace asio = boost::asio;
using type = asio::cancellation_type;

namespace {

// An operation that waits until it is asked to end.
asio::awaitable<type> wait_for_request() {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(type)>(
        [](auto handler) {
            auto slot = asio::get_associated_cancellation_slot(handler);
            auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
            slot.assign([waiting](type asked) {
                asio::post(asio::get_associated_executor(*waiting),
                           [waiting, asked] { (*waiting)(asked); });
            });
        },
        asio::use_awaitable);
}

asio::awaitable<std::string> unfiltered() {
    const auto asked = co_await wait_for_request();
    co_await asio::this_coro::cancellation_state; // seen: so the value below counts
    std::string names;
    for (const auto& [one, name] : {std::pair(type::terminal, "terminal "),
                                    {type::partial, "partial "},
                                    {type::total, "total "}})
        if ((asked & one) != type::none)
            names += name;
    co_return names;
}

template<class Filter>
asio::awaitable<std::string> filtered(Filter filter) {
    co_await asio::this_coro::reset_cancellation_state(filter);
    co_return co_await unfiltered();
}

} // namespace

PYBIND11_MODULE(cancellation_types, module) {
    bridge::def_async(module, "unfiltered", &unfiltered);
    bridge::def_async(module, "partial",
                      [] { return filtered(asio::enable_partial_cancellation()); });
    bridge::def_async(module, "total", [] { return filtered(asio::enable_total_cancellation()); });
    bridge::def_async(module, "only_total",
                      [] { return filtered([](type asked) { return asked & type::total; }); });
}
