// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/frame.hpp>

#include <bridge/detail/strand.hpp>

#include <memory>

namespace bridge::detail {

void trace_exception(const code_place& place) noexcept {
    auto* strand = strand::current();
    if (strand == nullptr)
        return;
    try {
        strand->trace(std::current_exception(), place);
    } catch (const std::bad_alloc&) {
        return; // a traceback without this line
    }
}

void note_suspension(const code_place& place) noexcept {
    if (auto* strand = strand::current())
        strand->note_suspension(place);
}

void note_listening(bool listens) noexcept {
    if (auto* strand = strand::current())
        strand->note_listening(listens);
}

void note_failure() noexcept {
    if (auto* strand = strand::current())
        strand->note_failure();
}

} // namespace bridge::detail
