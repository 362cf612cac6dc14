// SPDX-License-Identifier: Apache-2.0
// An operation that only waits, as cheap as one can be, so that what is measured is the crossing.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace bench {

class parking {
public:
    /// Ends with release(), or when it is cancelled.
    template<class Token>
    auto async_park(Token&& token) {
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
            [this](auto handler) {
                using handler_type = decltype(handler);
                operation_size_ = sizeof(waiter_of<handler_type>);
                add(new waiter_of<handler_type>(*this, std::move(handler)));
            },
            token);
    }

    /// Ends all that wait.
    void release() {
        waiter list;
        {
            const std::lock_guard lock(mutex_);
            if (first_.next == nullptr)
                return;
            list.next = std::exchange(first_.next, nullptr);
            for (auto* one = list.next; one != nullptr; one = one->next)
                one->previous = nullptr;
            waiting_ = 0;
        }
        while (auto* one = list.next) {
            list.next = one->next;
            one->complete({});
        }
    }

    std::size_t waiting() const {
        const std::lock_guard lock(mutex_);
        return waiting_;
    }

    /// What one of them takes in memory.
    std::size_t operation_size() const { return operation_size_; }

private:
    struct waiter {
        waiter* next = nullptr;
        waiter* previous = nullptr; ///< null: no longer in the list
        void (*end)(waiter* self, boost::system::error_code) = nullptr;

        void complete(boost::system::error_code error) { end(this, error); }
    };

    template<class Handler>
    struct waiter_of : waiter {
        waiter_of(parking& in, Handler&& its_handler) : handler(std::move(its_handler)) {
            end = &complete_handler;
            auto slot = boost::asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected())
                slot.assign([this, &in](boost::asio::cancellation_type) {
                    if (in.remove(*this))
                        complete(boost::asio::error::operation_aborted);
                });
        }

        static void complete_handler(waiter* self, boost::system::error_code error) {
            auto* own = static_cast<waiter_of*>(self);
            boost::asio::post(boost::asio::get_associated_executor(own->handler), [own, error] {
                const std::unique_ptr<waiter_of> ended(own);
                Handler handler(std::move(own->handler));
                handler(error);
            });
        }

        Handler handler;
    };

    void add(waiter* one) {
        const std::lock_guard lock(mutex_);
        one->next = first_.next;
        one->previous = &first_;
        if (one->next != nullptr)
            one->next->previous = one;
        first_.next = one;
        ++waiting_;
    }

    bool remove(waiter& one) {
        const std::lock_guard lock(mutex_);
        if (one.previous == nullptr)
            return false;
        one.previous->next = one.next;
        if (one.next != nullptr)
            one.next->previous = one.previous;
        one.previous = nullptr;
        --waiting_;
        return true;
    }

    mutable std::mutex mutex_;
    waiter first_;
    std::size_t waiting_ = 0;
    std::atomic<std::size_t> operation_size_ = 0;
};

} // namespace bench
