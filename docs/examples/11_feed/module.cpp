// SPDX-License-Identifier: Apache-2.0
// A producer on a thread of its own that feeds as many Python consumers as there are.
#include <bridge/bridge.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;
using channel = bridge::channel<int>;

namespace {

// Outlives every feed.
asio::thread_pool& producers_thread() {
    static asio::thread_pool one(1);
    return one;
}

class feed : public std::enable_shared_from_this<feed> {
public:
    // What is sent from now on; two items may wait for this consumer, then the producer does.
    bridge::generator<int> subscribe() {
        auto made = std::make_shared<subscription>(shared_from_this());
        auto* items = made->items.get();
        return bridge::produce(std::shared_ptr<channel>(std::move(made), items));
    }

    void start(int count) {
        asio::co_spawn(producers_thread(), send_all(shared_from_this(), count), asio::detached);
    }

private:
    // The producer's thread puts it on the list, and takes it off when its generator is gone.
    struct subscription {
        explicit subscription(std::shared_ptr<feed> of) : to(std::move(of)) {
            asio::post(producers_thread(),
                       [to = to, items = items] { to->channels_.push_back(items); });
        }

        ~subscription() {
            asio::post(producers_thread(), [to = to, items = items] {
                std::erase(to->channels_, items);
                items->cancel(); // ends a send that waits
            });
        }

        std::shared_ptr<feed> to;
        std::shared_ptr<channel> items = std::make_shared<channel>(producers_thread(), 2);
    };

    static asio::awaitable<void> send_all(std::shared_ptr<feed> self, int count) {
        for (int item = 0; item < count; ++item)
            co_await self->send({}, item);
        co_await self->send(asio::error::eof, 0);
    }

    asio::awaitable<void> send(boost::system::error_code end, int item) {
        for (const auto& to : std::vector(channels_))
            if (std::ranges::find(channels_, to) != channels_.end())
                co_await to->async_send(end, item, asio::as_tuple(asio::use_awaitable));
    }

    std::vector<std::shared_ptr<channel>> channels_; // the thread's
};

} // namespace

PYBIND11_MODULE(example_feed, module) {
    py::class_<feed, std::shared_ptr<feed>> type(module, "Feed");
    type.def(py::init<>()).def("start", &feed::start);
    bridge::def_async(type, "subscribe", &feed::subscribe);
}
