// SPDX-License-Identifier: Apache-2.0
// Where I/O objects belong that are made on an executor.
#pragma once

#include <boost/asio/execution_context.hpp>

namespace bridge::detail {

class scheduler;

/// The context that I/O objects of this image belong to when they are made on an executor of that
/// scheduler. Any thread, no GIL. Throws as scheduler::context().
boost::asio::execution_context& io_context_of(scheduler& on);

} // namespace bridge::detail
