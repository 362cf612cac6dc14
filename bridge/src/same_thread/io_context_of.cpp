// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/io_context_of.hpp>

#include "runtime/default_runtime.hpp"
#include "same_thread/loop_context.hpp"
#include "same_thread/loop_io.hpp"

#include <memory>

namespace bridge::detail {
namespace {

// For I/O objects on executors that have no context of this image; never destroyed, as they may
// live on.
boost::asio::execution_context& context_elsewhere() {
    static auto& elsewhere = *new default_context;
    return elsewhere.get();
}

} // namespace

boost::asio::execution_context& io_context_of(scheduler& on) {
    auto* const loop = on.as_loop();
    if (loop == nullptr)
        return &on.made_by() == &own_image ? on.context() : context_elsewhere();
    if (!loop_io_works() || !loop->life().is_open())
        return context_elsewhere();
    auto* part = loop->find_io(own_image);
    if (part == nullptr)
        part = loop->add_io(std::make_unique<loop_io>());
    return part != nullptr ? part->context() : context_elsewhere();
}

} // namespace bridge::detail
