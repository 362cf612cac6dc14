// SPDX-License-Identifier: Apache-2.0
// Members of Asio's that have no public way to them.
#pragma once

namespace bridge::detail {
namespace { // where the names are declared: a friend is of the same namespace

/// exposed<Name, &type::member_> makes the member known as member(Name{}), if Name declares that
/// function as a friend. An explicit instantiation may name what is private.
template<class Name, auto Member>
struct exposed {
    friend constexpr auto member(Name) noexcept { return Member; }
};

} // namespace
} // namespace bridge::detail
