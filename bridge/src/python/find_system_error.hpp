// SPDX-License-Identifier: Apache-2.0
// Looking into an exception without throwing it, which would cost a microsecond.
#pragma once

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/system/system_error.hpp>

#include <cstring>
#include <exception>
#include <typeinfo>

namespace bridge::detail {

/// The error inside an exception of that very type; null for another type, or if the standard
/// library does not tell.
inline const boost::system::system_error*
find_system_error([[maybe_unused]] const std::exception_ptr& exception) noexcept {
#ifdef __GLIBCXX__
    static_assert(sizeof(std::exception_ptr) == sizeof(void*), "it points at the exception");
    if (exception == nullptr ||
        *exception.__cxa_exception_type() != typeid(boost::system::system_error))
        return nullptr;
    const void* object = nullptr;
    std::memcpy(&object, &exception, sizeof object);
    return static_cast<const boost::system::system_error*>(object);
#else
    return nullptr;
#endif
}

/// What becomes a CancelledError in Python.
inline bool is_cancellation(const boost::system::error_code& code) noexcept {
    return code == boost::asio::error::operation_aborted ||
           code == boost::asio::experimental::error::channel_cancelled;
}

} // namespace bridge::detail
