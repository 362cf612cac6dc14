// SPDX-License-Identifier: Apache-2.0
#include <bridge/loop_executor.hpp>

#include "runtime/default_runtime.hpp"

#include <bridge/gil.hpp>

#include <memory>
#include <new>
#include <thread>

namespace bridge {
namespace detail {
namespace {

// Runs strands in the drains of a foreign loop's port.
class port_scheduler final : public scheduler {
public:
    explicit port_scheduler(port& of) noexcept : port_(&of) {}

    void schedule(strand& held, strand_task* first) noexcept override {
        auto* node = new (std::nothrow) arrival(*this, held, first);
        if (node == nullptr)
            return held.discard(first);
        if (port_->push(node))
            return;
        const std::unique_ptr<arrival> refused(node);
        held.discard(first);
    }

    bool is_own_thread() const noexcept override {
        return inside_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

    bool may_start_here() const noexcept override { return is_own_thread(); }

    boost::asio::execution_context& context() override { return io_.get(); }

private:
    // A held strand on its way to the loop.
    struct arrival final : port_node {
        arrival(port_scheduler& by, strand& held, strand_task* first) noexcept
            : on(&by), what(&held), begins_with(first) {
            deliver = &run;
        }

        intrusive_ptr<port_scheduler> on;
        intrusive_ptr<strand> what;
        strand_task* begins_with;
    };

    errc ended_as() const noexcept override { return errc::loop_closed; }

    static void run(port_node* self, bool alive) noexcept {
        std::unique_ptr<arrival> node(static_cast<arrival*>(self));
        if (node->on->is_parents_copy())
            return void(node.release()); // the parent's
        const gil_pause pause;
        if (!alive)
            return node->what->discard(node->begins_with);
        auto& inside = node->on->inside_;
        inside.store(std::this_thread::get_id(), std::memory_order_relaxed);
        node->what->run_and_leave(node->begins_with);
        inside.store({}, std::memory_order_relaxed);
    }

    intrusive_ptr<port> port_;
    default_context io_;
    std::atomic<std::thread::id> inside_{};
};

} // namespace
} // namespace detail

executor loop_executor(task_locals locals) {
    auto& port = detail::port_of(locals);
    if (auto* host = port.host())
        return detail::make_executor(host->threads(), std::move(locals));
    const auto on =
        detail::intrusive_ptr<detail::scheduler>::adopt(new detail::port_scheduler(port));
    return detail::make_executor(*on, std::move(locals));
}

executor loop_executor(const py::object& loop) {
    return loop_executor(task_locals(loop));
}

} // namespace bridge
