// SPDX-License-Identifier: Apache-2.0
// What a port needs of a context that runs inside its loop's own selector.
#pragma once

#include <bridge/error.hpp>

#include <cstddef>

namespace bridge::detail {

class scheduler;

/// Implemented by loop_context. Virtual, so that the port of one module can have the host of
/// another one.
class port_host {
public:
    virtual void retain() noexcept = 0;
    virtual void release() noexcept = 0;

    /// Wakes the loop. False if it is awake and will look. Any thread, no GIL.
    virtual bool wake() noexcept = 0;

    /// The loop has ended: closes its port, and ends what is pending. Requires the GIL.
    virtual void close(errc why) noexcept = 0;

    /// How many images of the process have an io_context in it. Any thread, no GIL.
    virtual std::size_t count_io() const noexcept = 0;

    /// Where native code of this loop runs: on the loop's own thread. No GIL.
    virtual scheduler& threads() noexcept = 0;

protected:
    ~port_host() = default;
};

} // namespace bridge::detail
