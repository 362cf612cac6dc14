// SPDX-License-Identifier: Apache-2.0
// Life of the awaitable: making, collecting, ending.
#include "crossing/coroutine.hpp"

#include "crossing/traceback.hpp"
#include "python/imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/to_python.hpp>

#include <structmember.h>

#include <cstddef>
#include <memory>

namespace bridge::detail {
namespace {

int traverse(PyObject* object, visitproc visit, void* arg) {
    const auto* self = as_coroutine(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->callback);
    Py_VISIT(self->context);
    Py_VISIT(self->outcome);
    if (self->op != nullptr && !self->op->goes_rounds()) // else its generator visits it
        Py_VISIT(self->op->kept().ptr());
    const auto& extras = extras_of(self);
    Py_VISIT(extras.callbacks);
    Py_VISIT(extras.cancel_message);
    Py_VISIT(extras.thrown);
    Py_VISIT(extras.delegate);
    Py_VISIT(extras.yielded);
    return extras.delegator != nullptr ? extras.delegator->traverse_object(visit, arg) : 0;
}

int clear(PyObject* object) {
    auto* self = as_coroutine(object);
    Py_CLEAR(self->callback);
    Py_CLEAR(self->context);
    Py_CLEAR(self->outcome);
    if (auto* extras = self->extras) {
        Py_CLEAR(extras->callbacks);
        Py_CLEAR(extras->cancel_message);
        Py_CLEAR(extras->thrown);
        Py_CLEAR(extras->delegate);
        Py_CLEAR(extras->yielded);
    }
    return 0;
}

void warn_never_awaited(coroutine_object* self) {
    if (extras_of(self).origin != nullptr) { // as CPython says it of its own
        const auto warnings = py::reinterpret_steal<py::object>(PyImport_ImportModule("warnings"));
        const auto warned = py::reinterpret_steal<py::object>(
            warnings ? PyObject_CallMethod(warnings.ptr(), "_warn_unawaited_coroutine", "O",
                                           as_object(self))
                     : nullptr);
        if (!warned)
            PyErr_WriteUnraisable(as_object(self));
        return;
    }
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine '%U' was never awaited", self->name) <
        0)
        PyErr_WriteUnraisable(as_object(self));
}

void report_never_retrieved(coroutine_object* self) {
    if (!self->op->locals() || !port_of(self->op->locals()).is_open())
        return;
    try {
        py::dict details;
        details["message"] = "Future exception was never retrieved";
        details["exception"] = py::handle(self->outcome);
        details["future"] = py::handle(as_object(self));
        self->op->locals().event_loop().attr(get_imports().name.call_exception_handler)(details);
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("bridge: reporting an exception that nobody retrieved");
    }
}

bool is_under_way(const coroutine_object* self) {
    return self->now == phase::running || self->now == phase::delegating;
}

// Nobody will ask for the result.
void let_go(coroutine_object* self) {
    if (is_under_way(self))
        detach(self);
    else if (self->hot && self->failed && !self->retrieved)
        report_never_retrieved(self);
}

#ifdef Py_GIL_DISABLED
// The thread of the loop lets go of it: what it waits for is that thread's alone.
struct last_reference final : port_node {
    explicit last_reference(PyObject* to) noexcept : object(Py_NewRef(to)) {
        deliver = &let_go_there;
    }

    ~last_reference() { Py_DECREF(object); }

    static void let_go_there(port_node* self, bool) noexcept {
        const std::unique_ptr<last_reference> owned(static_cast<last_reference*>(self));
        const object_lock alone(owned->object);
        let_go(as_coroutine(owned->object)); // it may have ended meanwhile
    }

    PyObject* object;
};

// Without a GIL the last reference may go on any thread. False if the loop has ended, or runs here.
bool hand_to_loop(coroutine_object* self) {
    if (!self->op->locals())
        return false;
    auto& home = port_of(self->op->locals());
    if (home.runs_here())
        return false;
    auto node = std::make_unique<last_reference>(as_object(self));
    if (!home.push(node.get()))
        return false;
    static_cast<void>(node.release());
    self->op->request_cancel(); // the loop need not run again
    return true;
}
#else
bool hand_to_loop(coroutine_object*) {
    return false;
}
#endif

void finalize(PyObject* object) {
    auto* self = as_coroutine(object);
    const py::error_scope keep_set_error;
    const object_lock alone(object); // the collector's thread may be another than the loop's
    if (self->now == phase::created)
        warn_never_awaited(self);
    else if (!is_under_way(self) || !hand_to_loop(self))
        let_go(self);
}

// An exception may be one that nobody retrieved.
bool is_at_its_end(const coroutine_object* self) {
    return self->now == phase::closed || (self->now == phase::settled && !self->failed);
}

void dealloc(PyObject* object) {
    auto* self = as_coroutine(object);
    if (!is_at_its_end(self) && !finalize_before_dealloc(object))
        return;
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != nullptr)
        PyObject_ClearWeakRefs(object);
    clear(object);
    Py_CLEAR(self->name);
    if (self->extras != nullptr)
        Py_CLEAR(self->extras->origin);
    delete self->extras;
    self->op->set_object(nullptr);
    self->op->drop();
    auto* type = Py_TYPE(object);
    free_coroutine(object);
    Py_DECREF(type);
}

coroutine_object* of_member(const in_flight_member* member) noexcept {
    auto* inside = const_cast<in_flight_member*>(member);
    return reinterpret_cast<coroutine_object*>(reinterpret_cast<char*>(inside) -
                                               offsetof(coroutine_object, membership));
}

// Nothing will be heard from native code any more. Whoever waits is woken, if the loop goes on.
void abandon(in_flight_member* member, errc why) noexcept {
    auto* self = of_member(member);
    if (self->inside)
        return; // who runs it is not at its end yet, or is a thread that stays where it is
    const auto alive = py::reinterpret_borrow<py::object>(as_object(self));
    const object_lock alone(as_object(self));
    auto error = to_python_exception(
        std::make_exception_ptr(boost::system::system_error(make_error_code(why))));
    if (why == errc::interpreter_gone) { // else tasks are destroyed pending, which asyncio reports
        Py_XINCREF(self->callback);
        Py_XINCREF(extras_of(self).callbacks);
    }
    if (why != errc::runtime_stopped) {
        detach(self);
        self->retrieved = true;
    } else {
        self->op->set_object(nullptr);
        Py_INCREF(as_object(self)); // until it is woken
        port_of(self->op->locals()).wake_after_drain(&self->waiter);
    }
    self->now = phase::settled;
    self->failed = true;
    Py_XSETREF(self->outcome, error.release().ptr());
}

// "fetch, waiting in read at client.cpp:12".
std::string describe(const in_flight_member* member) {
    const auto* self = of_member(member);
    std::string text = py::str(py::handle(self->name));
    if (const auto place = self->op->suspended_at(); place.file != nullptr)
        text += std::string(", waiting in ") + name_of(place) + " at " + place.file + ":" +
                std::to_string(place.line);
    if (auto* delegate = extras_of(self).delegate)
        text += ", awaiting " + std::string(py::repr(py::handle(delegate)));
    return text;
}

// What Python runs for it goes on, and tells it afterwards that its threads have ended.
const scheduler* runs_on(const in_flight_member* member) noexcept {
    const auto* self = of_member(member);
    return self->now == phase::delegating ? nullptr : &self->op->on();
}

void cancel_native_work(in_flight_member* member) noexcept {
    of_member(member)->op->request_cancel();
}

// In asyncio's log, where it says that a callback was slow.
void warn_of_slow_cancel(in_flight_member* member) noexcept {
    const auto* self = of_member(member);
    try {
        const auto place = self->op->suspended_at();
        const auto where = place.file == nullptr
                               ? py::str("it has not waited for anything yet")
                               : py::str("it waits, or last waited, in {} at {}:{}")
                                     .format(name_of(place), place.file, place.line);
        py::module_::import("asyncio.log")
            .attr("logger")
            .attr("warning")(
                "C++ coroutine '%s' was cancelled and has not ended; whoever cancelled "
                "it waits for it: %s. What it does there does not react to a "
                "cancellation; see docs/guides/cancelling.md of bridge",
                py::handle(self->name), where);
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("bridge: warning of a coroutine that does not end");
    }
}

int traverse_held(const in_flight_member* member, visitproc visit, void* arg) noexcept {
    auto* self = of_member(member);
    return self->held ? visit(as_object(self), arg) : 0;
}

slow_watch* watch_of(const in_flight_member* member) noexcept {
    auto* extras = __atomic_load_n(&of_member(member)->extras, __ATOMIC_ACQUIRE); // any thread asks
    return extras != nullptr ? &extras->watch : nullptr;
}

py::object keep(const in_flight_member* member) noexcept {
    auto* object = as_object(of_member(member));
    return py::reinterpret_steal<py::object>(try_new_reference(object) ? object : nullptr);
}

constexpr in_flight_kind native_work{.abandon = &abandon,
                                     .cancel = &cancel_native_work,
                                     .describe = &describe,
                                     .runs_on = &runs_on,
                                     .warn = &warn_of_slow_cancel,
                                     .watch = &watch_of,
                                     .traverse = &traverse_held,
                                     .keep = &keep};

bool wake(port_waiter* waiter, bool directly) noexcept {
    auto* self = reinterpret_cast<coroutine_object*>(reinterpret_cast<char*>(waiter) -
                                                     offsetof(coroutine_object, waiter));
    const bool go_on = wake_waiters(self, directly);
    Py_DECREF(as_object(self)); // the drain's own
    return go_on;
}

PyObject* await(PyObject* object) {
    const auto* self = as_coroutine(object);
    const bool used_up = self->now == phase::closed;
    if (!used_up && (self->hot || !is_under_way(self)))
        return Py_NewRef(object);
    PyErr_SetString(PyExc_RuntimeError, used_up ? "cannot reuse already awaited coroutine"
                                                : "coroutine is being awaited already");
    return nullptr;
}

PyObject* iterate(PyObject* self) {
    return Py_NewRef(self);
}

PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, sizeof(PyObject), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyTypeObject* make_type(const char* name, PyMethodDef* methods, const char* doc) {
    PyType_Slot slots[] = {
        {Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
        {Py_tp_finalize, reinterpret_cast<void*>(&finalize)},
        {Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(&clear)},
        {Py_tp_iternext, reinterpret_cast<void*>(one_at_a_time<&coroutine_next>)},
        {Py_am_await, reinterpret_cast<void*>(one_at_a_time<&await>)},
        {Py_am_send, reinterpret_cast<void*>(one_at_a_time<&coroutine_am_send>)},
        {Py_tp_iter, reinterpret_cast<void*>(&iterate)},
        {Py_tp_repr, reinterpret_cast<void*>(one_at_a_time<&represent_coroutine>)},
        {Py_tp_methods, methods},
        {Py_tp_getset, coroutine_getset},
        {Py_tp_members, members},
        {Py_tp_doc, const_cast<char*>(doc)},
        {0, nullptr},
    };
    PyType_Spec spec = {name, sizeof(coroutine_object), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        slots};
    auto* type = PyType_FromSpec(&spec);
    if (type == nullptr)
        throw py::error_already_set();
    return reinterpret_cast<PyTypeObject*>(type);
}

} // namespace

PyTypeObject* make_coroutine_type() {
    return make_type("bridge.coroutine", coroutine_methods,
                     "A C++ coroutine, begun when it is first awaited.");
}

PyTypeObject* make_future_type() {
    return make_type("bridge.future", future_methods, "A C++ coroutine that is already running.");
}

py::object new_coroutine(PyTypeObject* type, intrusive_ptr<crossing> op, py::handle name) {
    auto* object = allocate_coroutine(type);
    if (object == nullptr)
        throw py::error_already_set();
    auto* self = as_coroutine(object);
    self->op = op.detach();
    allow_new_references(object);
    self->op->set_object(self);
    self->name = name.inc_ref().ptr();
    self->membership.kind = &native_work;
    self->waiter.wake = &wake;
    return py::reinterpret_steal<py::object>(object);
}

py::object make_lazy(intrusive_ptr<crossing> op, py::handle name) {
    require_gil("to_python");
    require_main_interpreter();
    const auto& all = get_imports();
    auto coroutine = new_coroutine(all.coroutine_type, std::move(op),
                                   name ? name : py::handle(all.coroutine_name));
    if (auto* origin = coroutine_origin())
        own_extras(as_coroutine(coroutine.ptr())).origin = origin;
    return coroutine;
}

py::object make_hot(intrusive_ptr<crossing> op, py::handle name) {
    require_gil("to_python_future");
    require_main_interpreter();
    const auto& all = get_imports();
    auto future =
        new_coroutine(all.future_type, std::move(op), name ? name : py::handle(all.coroutine_name));
    as_coroutine(future.ptr())->hot = true;
    start_hot(as_coroutine(future.ptr()));
    return future;
}

// In a forked child nothing is left to wait for: what would end is the parent's.
void ask_to_end(coroutine_object* self) noexcept {
    if (self->now == phase::running && self->op->on().is_parents_copy()) {
        const auto alive = py::reinterpret_borrow<py::object>(as_object(self));
        settle_as_cancelled(self);
        if (!wake_waiters(self, false))
            PyErr_WriteUnraisable(as_object(self));
        return;
    }
    self->op->request_cancel();
    in_flight::watch(self->membership, own_extras(self).watch);
}

void detach(coroutine_object* self) noexcept {
    in_flight::leave(self->membership);
    if (extras_of(self).delegator != nullptr) {
        if (!close_delegate(*self))
            PyErr_WriteUnraisable(self->extras->delegate);
        auto* delegator = std::exchange(self->extras->delegator, nullptr);
        forget_delegate(self);
        PyErr_SetNone(get_imports().cancelled_error.ptr());
        if (delegator->settle(nullptr))
            delegator->resume_later();
    }
    self->op->set_object(nullptr);
    self->op->request_cancel();
    self->now = phase::closed;
    Py_CLEAR(self->callback);
    Py_CLEAR(self->context);
    if (self->extras != nullptr)
        Py_CLEAR(self->extras->callbacks);
    if (std::exchange(self->held, false))
        Py_DECREF(as_object(self));
}

} // namespace bridge::detail
