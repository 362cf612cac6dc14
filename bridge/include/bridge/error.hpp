// SPDX-License-Identifier: Apache-2.0
// The failures of the bridge itself, as a closed list of error codes.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <type_traits>

namespace bridge {

/// What can go wrong between the two loops. Everything else keeps its own type.
enum class errc {
    no_event_loop = 1, ///< no locals on this handler and no running asyncio loop on this thread
    loop_closed,       ///< the event loop ended before the operation did
    interpreter_gone,  ///< Python is not running, or is shutting down
    runtime_stopped,   ///< the runtime was shut down
    forked,            ///< the runtime or the loop's port belongs to the parent of this process
    would_deadlock,    ///< the event loop stands still below blocking(), which waits for this
};

/// The category named "bridge".
const boost::system::error_category& bridge_category() noexcept;

inline boost::system::error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), bridge_category()};
}

namespace detail {
[[noreturn]] void throw_error(errc e);
} // namespace detail

} // namespace bridge

template<>
struct boost::system::is_error_code_enum<bridge::errc> : std::true_type {};
