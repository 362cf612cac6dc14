// SPDX-License-Identifier: Apache-2.0
// Memory of the awaitables: that of some which are gone is kept for the next ones.
#include "crossing/coroutine.hpp"

#include "python/imports.hpp"

#include <bridge/detail/memory.hpp>

#include <cstring>

namespace bridge::detail {
namespace {

constexpr unsigned most_spares = 64;
#if defined(Py_GIL_DISABLED) || defined(BRIDGE_KEEPS_NO_MEMORY)
constexpr bool keeps_spares = false; // others may look at what is freed
#else
constexpr bool keeps_spares = true;
#endif

// Not one whose finalizer has run: it would not run again. Nor once Python ends.
bool keep_spare(PyObject* object) noexcept {
    auto* all = shared().all.load(std::memory_order_relaxed);
    if (!keeps_spares || all == nullptr || all->spares.count == most_spares ||
        PyObject_GC_IsFinalized(object) != 0 ||
        shared().interpreter_ended.load(std::memory_order_relaxed))
        return false;
    as_coroutine(object)->outcome = std::exchange(all->spares.first, object);
    ++all->spares.count;
    return true;
}

PyObject* take_spare() noexcept {
    auto& spares = shared().all.load(std::memory_order_relaxed)->spares;
    auto* spare = spares.first;
    if (spare != nullptr) {
        spares.first = as_coroutine(spare)->outcome;
        --spares.count;
    }
    return spare;
}

} // namespace

PyObject* allocate_coroutine(PyTypeObject* type) noexcept {
    auto* spare = take_spare();
    if (spare == nullptr)
        return PyType_GenericAlloc(type, 0);
    std::memset(reinterpret_cast<char*>(spare) + sizeof(PyObject), 0,
                sizeof(coroutine_object) - sizeof(PyObject));
    PyObject_Init(spare, type);
    PyObject_GC_Track(spare);
    return spare;
}

void free_coroutine(PyObject* object) noexcept {
    if (!keep_spare(object))
        PyObject_GC_Del(object);
}

void free_spare_coroutines() noexcept {
    if (shared().all == nullptr)
        return;
    while (auto* spare = take_spare())
        PyObject_GC_Del(spare);
}

} // namespace bridge::detail
