// SPDX-License-Identifier: Apache-2.0
#include <bridge/executor.hpp>

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
    std::atomic<const void*> owner{nullptr}; ///< the slot of who took it; null: not known
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
        one.owner.store(current_slot(), std::memory_order_relaxed);
        one.round.store(round, std::memory_order_relaxed);
        return true;
    });
}

template<class F>
void for_each_of(PyObject* object, const F& is_done) noexcept {
    for_each_place_of(object, [&](reference_entry& one) {
        return one.object.load(std::memory_order_relaxed) == object && is_done(one);
    });
}

// Whose it is that is let go of is not known. Where several have some of the object, those that
// remain are nobody's from now on: a test that has let go of all of its own must not be blamed.
void note_let_go(PyObject* object) noexcept {
    const reference_entry* first = nullptr;
    bool is_shared = false;
    for_each_of(object, [&](const reference_entry& one) {
        first = first != nullptr ? first : &one;
        is_shared = one.owner.load(std::memory_order_relaxed) !=
                    first->owner.load(std::memory_order_relaxed);
        return is_shared;
    });
    bool is_gone = false;
    for_each_of(object, [&](reference_entry& one) {
        PyObject* its = object;
        if (is_gone)
            one.owner.store(nullptr, std::memory_order_relaxed);
        else
            is_gone = one.object.compare_exchange_strong(its, nullptr, std::memory_order_relaxed);
        return is_gone && !is_shared;
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

namespace {

template<class F>
std::vector<kept_reference> kept_references_if(const F& is_meant) {
    std::vector<kept_reference> all;
    for (const auto& one : entries) {
        const py::handle object = one.object.load(std::memory_order_relaxed);
        if (!object || one.round.load(std::memory_order_relaxed) != last_round ||
            !is_meant(one.owner.load(std::memory_order_relaxed)) || is_kept_on_purpose(object))
            continue;
        const auto place = one.place.load();
        const std::string type = Py_TYPE(object.ptr())->tp_name;
        all.push_back({type, "of type '" + type + "', taken at " + place.file + ":" +
                                 std::to_string(place.line)});
    }
    return all;
}

} // namespace

std::vector<kept_reference> kept_references() {
    return kept_references_if([](const void*) { return true; });
}

std::vector<kept_reference> kept_references_of(const void* owner) {
    return kept_references_if([owner](const void* its) { return its == owner; });
}

} // namespace bridge::harness
