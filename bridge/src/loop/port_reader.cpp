// SPDX-License-Identifier: Apache-2.0
// What a foreign loop holds of its port: the callback that reads it, whose object shows the garbage
// collector what the port holds for the loop.
#include "loop/event_descriptor.hpp"
#include "python/imports.hpp"

#include <bridge/detail/port.hpp>
#include <bridge/detail/steal_or_throw.hpp>

namespace bridge::detail {
namespace {

struct port_object {
    PyObject_HEAD port* its; ///< owned
    bool closes;             ///< with it the loop is gone
};

port_object* as_port_object(PyObject* object) noexcept {
    return reinterpret_cast<port_object*>(object);
}

py::object new_port_object(port& of, bool closes) {
    auto* type = get_imports().port_type;
    auto made = steal_or_throw(type->tp_alloc(type, 0));
    of.retain();
    as_port_object(made.ptr())->its = &of;
    as_port_object(made.ptr())->closes = closes;
    return made;
}

py::object new_method(PyMethodDef& method, const py::object& self) {
    auto function = steal_or_throw(PyCFunction_New(&method, self.ptr()));
    return function;
}

int traverse(PyObject* object, visitproc visit, void* arg) {
    auto* self = as_port_object(object);
    Py_VISIT(Py_TYPE(object));
    return self->closes ? self->its->members().traverse(visit, arg) : 0;
}

int clear(PyObject* object) {
    auto* self = as_port_object(object);
    if (self->closes)
        self->its->close();
    return 0;
}

void dealloc(PyObject* object) {
    PyObject_GC_UnTrack(object);
    auto* self = as_port_object(object);
    const py::error_scope keep_set_error;
    if (self->its != nullptr) {
        clear(object);
        self->its->release();
    }
    auto* type = Py_TYPE(object);
    type->tp_free(object);
    Py_DECREF(type);
}

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(&clear)},
    {0, nullptr},
};

PyType_Spec spec = {"bridge.port", sizeof(port_object), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                    slots};

} // namespace

PyTypeObject* make_port_type() {
    auto* type = PyType_FromSpec(&spec);
    if (type == nullptr)
        throw py::error_already_set();
    return reinterpret_cast<PyTypeObject*>(type);
}

PyMethodDef port::readable_method = {"bridge_port", &port::on_readable, METH_NOARGS, nullptr};
PyMethodDef port::attach_method = {"bridge_attach", &port::on_attach, METH_NOARGS, nullptr};

// The loop's own references to its reader tell when the loop is gone: the object dies with them.
void port::attach() {
    auto& all = get_imports();
    const py::handle loop(loop_);
    const auto self = new_port_object(*this, true);
    try {
        if (all.get_running_loop().is(loop))
            loop.attr(all.name.add_reader)(descriptor_->number(),
                                           new_method(readable_method, self));
        else
            loop.attr(all.name.call_soon_threadsafe)(new_method(attach_method, self));
    } catch (py::error_already_set& error) {
        if (error.matches(PyExc_RuntimeError) && loop.attr("is_closed")().cast<bool>())
            throw_error(errc::loop_closed);
        throw;
    }
}

// The loop's thread makes what the loop keeps: without a GIL the last of an object that another
// thread has made may wait until that one runs Python again, and so would the end of the loop.
PyObject* port::on_attach(PyObject* self, PyObject*) noexcept {
    auto* before = as_port_object(self);
    auto* to = before->its;
    try {
        before->closes = false;
        const auto object = new_port_object(*to, true);
        to->loop().attr(get_imports().name.add_reader)(to->descriptor_->number(),
                                                       new_method(readable_method, object));
    } catch (py::error_already_set& error) {
        before->closes = true;
        error.restore();
        return nullptr;
    }
    Py_RETURN_NONE;
}

PyObject* port::on_readable(PyObject* self, PyObject*) noexcept {
    const intrusive_ptr<port> to(as_port_object(self)->its);
    // A forked child shares the descriptor with its parent, which alone may read it.
    const bool goes_on = to->is_open() ? to->drain() : to->loop_ == nullptr || to->wake_waiters();
    if (!goes_on)
        return nullptr;
    Py_RETURN_NONE;
}

// Without the descriptor, which a forked child shares with its parent.
void port::wake_in_next_turn() noexcept {
    const py::error_scope raised; // what ends the run
    try {
        py::handle(loop_).attr("call_soon")(
            new_method(readable_method, new_port_object(*this, false)));
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("bridge: waking tasks in a forked child");
    }
}

} // namespace bridge::detail
