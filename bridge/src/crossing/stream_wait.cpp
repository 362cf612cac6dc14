// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/stream_wait.hpp>

#include <bridge/detail/stream_state.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace bridge::detail {

void stream_wait::operator()(suspended coroutine) noexcept {
    const intrusive_ptr<stream_state> alive(&of_);
    const auto on = coroutine.get_executor();
    if (const auto* ours = on.target<executor>())
        strand_ = intrusive_ptr<strand>(strand_of(*ours));
    coroutine_.emplace(std::move(coroutine));
    connect_cancellation();
    auto& in = place_;
    const auto is_over = is_over_;
    in.exchange(this, std::memory_order_acq_rel);
    // From here on this may be gone, unless it can be taken back.
    if (!is_over(*alive))
        return;
    auto* expected = this;
    if (in.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel))
        wake();
}

void stream_wait::connect_cancellation() {
    auto slot = coroutine_->get_cancellation_slot();
    if (!slot.is_connected())
        return;
    slot.assign([this](boost::asio::cancellation_type type) {
        if (type != boost::asio::cancellation_type::none && give_back())
            wake(std::make_exception_ptr(
                boost::system::system_error(boost::asio::error::operation_aborted)));
    });
}

// Whether nobody has taken it, who would resume the coroutine.
bool stream_wait::give_back() noexcept {
    auto* expected = this;
    return place_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel);
}

void stream_wait::resume() {
    auto coroutine = std::move(*coroutine_);
    coroutine_.reset();
    coroutine.resume();
}

void stream_wait::run_resume(strand_task* self, bool call) {
    auto* owner = static_cast<resume_task*>(self)->owner;
    if (call)
        owner->resume();
    else
        end_unresumed(*owner->strand_, owner->coroutine_);
}

void stream_wait::wake(std::exception_ptr error) noexcept {
    error_ = std::move(error);
    if (strand_)
        return strand_->post(&resume_);
    coroutine_->post([this] { resume(); });
}

} // namespace bridge::detail
