// SPDX-License-Identifier: Apache-2.0
// The descriptor by which native threads wake a foreign loop.
#pragma once

#include "loop/yield_backoff.hpp"

#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/python.hpp>

#include <cstdint>

namespace bridge::detail {

/// An eventfd, open as long as its port may write to it and its loop may still unregister it: a
/// loop of libuv does that after it has dropped the reader, and by then the number must not be
/// another file's.
class event_descriptor : public reference_counted<event_descriptor> {
public:
    /// Throws std::system_error.
    event_descriptor();

    /// Stays open until the end of the loop, given by a weak reference. Requires the GIL.
    void keep_with(py::handle reference);

    int number() const noexcept { return number_; }

    /// Before what was signalled is taken, and how much that was the last time. Loop thread.
    yield_backoff yields;
    std::uint64_t last_came = 0;

    void signal() const noexcept;
    void clear() const noexcept;

private:
    friend class reference_counted<event_descriptor>;

    ~event_descriptor();

    int number_;
};

} // namespace bridge::detail
