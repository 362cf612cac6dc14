// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/for_harness.hpp>

#include <bridge/detail/port.hpp>
#include <bridge/runtime.hpp>
#include <bridge/task_locals.hpp>
#include <bridge/to_python.hpp>

#include <boost/asio/post.hpp>

#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace bridge::detail {

py::object to_python_with_slot(boost::asio::awaitable<void> body, void* slot, py::handle name) {
    return make_lazy(make_crossing(nullptr, task_locals(), std::move(body), slot), name);
}

std::size_t cancel_native(const py::object& loop, py::object when_idle) {
    const auto port = port::find_or_copy(loop);
    if (!port || !port->is_open()) // a forked child's copy: what runs for it is in the parent
        return 0;
    return port->members().cancel(std::move(when_idle));
}

std::size_t count_native(const py::object& loop) {
    const auto port = port::find_or_copy(loop);
    return port && port->is_open() ? port->members().native_work() : 0;
}

std::vector<std::string> describe_native(const py::object& loop) {
    const auto port = port::find_or_copy(loop);
    return port ? port->members().describe() : std::vector<std::string>();
}

body_handle body_handle::current() noexcept {
    auto* here = strand::current();
    return body_handle(here != nullptr && here->as_crossing() != nullptr ? here : nullptr);
}

void body_handle::request_cancel() const noexcept {
    if (strand_)
        strand_->as_crossing()->request_cancel();
}

bool body_handle::has_request() const noexcept {
    return strand_ && strand_->as_crossing()->cancel_requested();
}

bool body_handle::request_is_unseen() const noexcept {
    return strand_ && strand_->as_crossing()->cancel_unanswered();
}

int gil_holder() noexcept {
#if PY_VERSION_HEX < 0x030B0000
    return 0; // its thread states do not know the system's number
#elif PY_VERSION_HEX < 0x030C0000
    const auto* holder = _PyThreadState_UncheckedGet(); // of any thread, here
    return holder != nullptr ? static_cast<int>(holder->native_thread_id) : 0;
#elif defined(Py_GIL_DISABLED)
    return 0;
#else
    for (auto* one = PyInterpreterState_ThreadHead(PyInterpreterState_Main()); one != nullptr;
         one = PyThreadState_Next(one))
        if (one->_status.active != 0)
            return static_cast<int>(one->native_thread_id);
    return 0;
#endif
}

code_place place_of_this_thread() noexcept {
    const auto* here = known_slots != nullptr ? known_slots->current : nullptr;
    return here != nullptr ? here->suspended_at() : code_place();
}

const void* slot_of_this_thread() noexcept {
    const auto* here = known_slots != nullptr ? known_slots->current : nullptr;
    return here != nullptr ? here->slot() : nullptr;
}

bool default_runtime_answers(std::chrono::milliseconds within) {
    if (!own_image.default_runtime_runs())
        return true;

    struct latch {
        std::mutex mutex;
        std::condition_variable changed;
        bool is_open = false;
    };

    const auto shared_latch = std::make_shared<latch>();
    try {
        boost::asio::post(default_runtime().io_context(), [shared_latch] {
            const std::lock_guard lock(shared_latch->mutex);
            shared_latch->is_open = true;
            shared_latch->changed.notify_one();
        });
    } catch (const std::logic_error&) {
        return true; // a caller's, which has no io_context
    }
    std::unique_lock lock(shared_latch->mutex);
    return shared_latch->changed.wait_for(lock, within, [&] { return shared_latch->is_open; });
}

turn_elsewhere::turn_elsewhere() {
    struct plain_strand final : strand {
        using strand::strand;
    };

    const auto* here = strand::current();
    strand_ =
        intrusive_ptr<strand>::adopt(new plain_strand(here->on(), current_locals(), here->slot()));
}

} // namespace bridge::detail
