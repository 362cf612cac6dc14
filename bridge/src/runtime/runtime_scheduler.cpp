// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/runtime_scheduler.hpp>

#include <bridge/detail/port.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/error.hpp>
#include <bridge/gil.hpp>

#include <memory>
#include <stdexcept>

namespace bridge::detail {

bool runtime_scheduler::is_inside() const noexcept {
    const auto* here = strand::current();
    return is_own_thread() || (here != nullptr && &here->on() == this);
}

bool runtime_scheduler::shutdown(std::chrono::milliseconds time) {
    if (is_parents_copy())
        return true;
    require_outside();
    const gil_pause pause;
    const std::lock_guard one_at_a_time(mutex_);
    if (!ended_) {
        ended_ = end(clock::now() + time);
        tell_loops();
    }
    return *ended_;
}

// Nothing will be heard any more from its threads: who still waits for them in Python is settled.
void runtime_scheduler::tell_loops() noexcept {
    struct end_node final : port_node {
        intrusive_ptr<port> to;
        intrusive_ptr<scheduler> ended;
    };

    for (auto& one : port::all_open()) {
        auto* node = new end_node;
        node->to = one;
        node->ended = intrusive_ptr<scheduler>(this);
        node->deliver = [](port_node* self, bool alive) noexcept {
            const std::unique_ptr<end_node> owned(static_cast<end_node*>(self));
            if (alive)
                owned->to->members().abandon(owned->ended.get(), errc::runtime_stopped);
        };
        if (!one->push(node))
            delete node;
    }
}

void runtime_scheduler::require_outside() const {
    if (is_inside())
        throw std::logic_error("runtime::shutdown: called by a coroutine or handler of this "
                               "runtime, which would wait for itself; call it from the thread of "
                               "the event loop or another one that is not the runtime's");
}

} // namespace bridge::detail
