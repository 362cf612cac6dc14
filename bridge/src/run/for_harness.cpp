// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/for_harness.hpp>

#include <bridge/detail/port.hpp>
#include <bridge/task_locals.hpp>
#include <bridge/to_python.hpp>

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

turn_elsewhere::turn_elsewhere() {
    struct plain_strand final : strand {
        using strand::strand;
    };

    const auto* here = strand::current();
    strand_ =
        intrusive_ptr<strand>::adopt(new plain_strand(here->on(), current_locals(), here->slot()));
}

} // namespace bridge::detail
