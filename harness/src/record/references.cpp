// SPDX-License-Identifier: Apache-2.0
#include "record/references.hpp"

#include <bridge/detail/for_harness.hpp>
#include <bridge/detail/references.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace bridge::harness {
namespace {

struct reference_entry {
    std::atomic<PyObject*> object{nullptr};
    std::atomic<unsigned> round{0};
    bridge::detail::shared_place place;
};

// More than these are not known, nor those that find no room near their place.
constinit std::array<reference_entry, 8192> entries;
constexpr std::size_t room = 64;

// Zero: nothing is noted.
constinit std::atomic<unsigned> current_round{0};
constinit std::atomic<unsigned> last_round{0};

template<class F>
void for_each_place_of(PyObject* object, const F& is_done) noexcept {
    const auto first = reinterpret_cast<std::uintptr_t>(object) / 16;
    for (std::size_t i = 0; i < room; ++i)
        if (is_done(entries[(first + i) % entries.size()]))
            return;
}

// Of bridge and its harness, as the compiler names this file.
constexpr std::string_view root = [] {
    constexpr std::string_view here = __FILE__;
    return here.substr(0, here.rfind("harness/src/"));
}();

bool is_users_file(std::string_view file) noexcept {
    if (!bridge::detail::is_users({"", file.data(), 0}))
        return false;
    if (!file.starts_with(root))
        return true;
    file.remove_prefix(root.size());
    return !file.starts_with("bridge/src/") && !file.starts_with("harness/src/");
}

void note_taken(PyObject* object, const char* file, unsigned line) noexcept {
    const auto round = current_round.load(std::memory_order_relaxed);
    if (round == 0 || !is_users_file(file))
        return;
    for_each_place_of(object, [&](reference_entry& one) {
        PyObject* nothing = nullptr;
        if (one.object.load(std::memory_order_relaxed) != nullptr ||
            !one.object.compare_exchange_strong(nothing, object, std::memory_order_relaxed))
            return false;
        one.place.store({"", file, line});
        one.round.store(round, std::memory_order_relaxed);
        return true;
    });
}

void note_let_go(PyObject* object) noexcept {
    for_each_place_of(object, [object](reference_entry& one) {
        PyObject* its = object;
        return one.object.load(std::memory_order_relaxed) == object &&
               one.object.compare_exchange_strong(its, nullptr, std::memory_order_relaxed);
    });
}

constexpr bridge::detail::reference_watcher our_watcher{&note_taken, &note_let_go};

bool is_kept_on_purpose(py::handle object) {
    return PyModule_Check(object.ptr()) || PyType_Check(object.ptr()) ||
           PyFunction_Check(object.ptr()) || PyCFunction_Check(object.ptr());
}

} // namespace

void note_references() noexcept {
    bridge::detail::watch_references(&our_watcher);
}

void begin_references() noexcept {
    current_round.store(last_round.fetch_add(1, std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
}

void end_references() noexcept {
    current_round.store(0, std::memory_order_relaxed);
}

std::vector<kept_reference> kept_references() {
    std::vector<kept_reference> all;
    for (const auto& one : entries) {
        const py::handle object = one.object.load(std::memory_order_relaxed);
        if (!object || one.round.load(std::memory_order_relaxed) != last_round ||
            is_kept_on_purpose(object))
            continue;
        const auto place = one.place.load();
        const std::string type = Py_TYPE(object.ptr())->tp_name;
        all.push_back({type, "of type '" + type + "', taken at " + place.file + ":" +
                                 std::to_string(place.line)});
    }
    return all;
}

} // namespace bridge::harness
