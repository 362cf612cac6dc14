// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/choose_scheduler.hpp>

#include <bridge/detail/shared.hpp>
#include <bridge/runtime.hpp>
#include <bridge/task_locals.hpp>

namespace bridge::detail {

scheduler& scheduler_of(const task_locals& locals) {
    if (auto* host = port_of(locals).host())
        return host->threads();
    return scheduler_of(default_runtime());
}

scheduler& choose_scheduler(const task_locals& locals) {
    if (locals)
        return scheduler_of(locals);
    if (const auto* running = this_thread().running_port)
        return running->host()->threads();
    return scheduler_of(default_runtime());
}

} // namespace bridge::detail
