// SPDX-License-Identifier: Apache-2.0
#include <bridge/stats.hpp>

#include <bridge/detail/port.hpp>
#include <bridge/detail/shared.hpp>
#include <bridge/gil.hpp>

namespace bridge {

bridge_stats stats() {
    bridge_stats all;
    with_gil([&] {
        for (const auto& port : detail::port::all_open())
            all.loops.push_back(port->stats());
    });
    const auto& shared = detail::shared();
    for (const auto* one = shared.images.load(); one != nullptr; one = one->next) {
        ++all.images;
        all.default_runtime_runs = all.default_runtime_runs || one->default_runtime_runs();
    }
    all.gil_takes = shared.gil_takes.load(std::memory_order_relaxed);
    return all;
}

} // namespace bridge
