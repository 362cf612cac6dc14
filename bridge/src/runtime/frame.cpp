// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/frame.hpp>

#include "python/find_system_error.hpp"

#include <bridge/detail/strand.hpp>

#include <functional>
#include <iterator>
#include <memory>
#include <string_view>

namespace bridge::detail {

bool is_users(const code_place& place) noexcept {
    struct answer {
        const char* file;
        bool is_users;
    };

    static thread_local answer known[32] = {};
    auto& entry = known[std::hash<const char*>()(place.file) / 8 % std::size(known)];
    if (entry.file != place.file) {
        const std::string_view file(place.file);
        entry = {place.file, file.find("/boost/asio/") == file.npos &&
                                 file.find("include/bridge/") == file.npos};
    }
    return entry.is_users;
}

bool trace_exception(const code_place& place, const void* caller) noexcept {
    auto* strand = strand::current();
    if (strand == nullptr)
        return false;
    const auto exception = std::current_exception();
    const auto* error = find_system_error(exception);
    try {
        if (error == nullptr || !is_cancellation(error->code())) // has no traceback of its own
            strand->trace(exception, place);
    } catch (const std::bad_alloc&) { // a traceback without this line
    }
    return strand->take_exception(exception, caller);
}

void note_suspension(const code_place& place) noexcept {
    if (auto* strand = strand::current())
        strand->note_suspension(place);
}

void note_await(const code_place& place) noexcept {
    if (auto* strand = strand::current())
        strand->note_await(place);
}

void note_listening(bool listens) noexcept {
    if (auto* strand = strand::current())
        strand->note_listening(listens);
}

void note_answer() noexcept {
    if (auto* strand = strand::current())
        strand->note_answer();
}

} // namespace bridge::detail
