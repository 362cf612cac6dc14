// SPDX-License-Identifier: Apache-2.0
#include "python/imports.hpp"

#include "python/exit.hpp"
#include "python/native_error.hpp"

#include <bridge/detail/attach.hpp>
#include <bridge/detail/shared.hpp>

#include <mutex>

namespace bridge::detail {
namespace {

void look_up_names(imports::names& name) {
    const auto intern = [](const char* text) {
        return py::reinterpret_steal<py::object>(PyUnicode_InternFromString(text));
    };
    name.add_reader = intern("add_reader");
    name.debug = intern("_debug");
    name.stopping = intern("_stopping");
    name.call_soon = intern("call_soon");
    name.call_soon_threadsafe = intern("call_soon_threadsafe");
    name.call_exception_handler = intern("call_exception_handler");
    name.ready = intern("_ready");
    name.create_task = intern("create_task");
    name.cancel = intern("cancel");
    name.done = intern("done");
    name.cancelled = intern("cancelled");
    name.exception = intern("exception");
    name.result = intern("result");
    name.add_done_callback = intern("add_done_callback");
    name.future_blocking = intern("_asyncio_future_blocking");
    name.must_cancel = intern("_must_cancel");
    name.send = intern("send");
    name.throw_ = intern("throw");
    name.close = intern("close");
    name.cr_await = intern("cr_await");
}

void look_up_modules(imports& all) {
    const auto asyncio = py::module_::import("asyncio");
    all.get_running_loop = asyncio.attr("_get_running_loop");
    all.current_task = asyncio.attr("current_task");
    all.ensure_future = asyncio.attr("ensure_future");
    all.cancelled_error = asyncio.attr("CancelledError");
    all.invalid_state = asyncio.attr("InvalidStateError");
    const auto coroutines = py::module_::import("asyncio.coroutines");
    all.is_coroutine_mark = py::getattr(coroutines, "_is_coroutine", py::bool_(true));
    const auto abc = py::module_::import("collections.abc");
    all.coroutine_abc = abc.attr("Coroutine");
    all.generator_abc = abc.attr("AsyncGenerator");
    all.get_asyncgen_hooks = py::module_::import("sys").attr("get_asyncgen_hooks");
    all.native_error = make_native_error();
}

imports* make_imports() {
    auto* all = new imports{};
    look_up_names(all->name);
    all->coroutine_name = py::str("bridge.coroutine");
    all->generator_name = py::str("bridge.async_generator");
    all->context_keyword = py::make_tuple("context");
    look_up_modules(*all);
    all->coroutine_type = make_coroutine_type();
    all->future_type = make_future_type();
    all->function_type = make_function_type();
    all->generator_type = make_generator_type();
    all->step_type = make_step_type();
    all->stream_type = make_stream_type();
    all->task_body_type = make_task_body_type();
    all->port_type = make_port_type();
    all->generator_abc.attr("register")(
        py::handle(reinterpret_cast<PyObject*>(all->generator_type)));
    for (auto* type : {all->coroutine_type, all->stream_type, all->task_body_type})
        all->coroutine_abc.attr("register")(py::handle(reinterpret_cast<PyObject*>(type)));
    return all;
}

imports& attach_and_get_imports() {
    attach_interpreter(); // may join another module's state
    const std::lock_guard lock(shared().attach_mutex);
    auto& all = shared().all;
    if (all == nullptr)
        all = make_imports();
    return *all;
}

} // namespace

imports& get_imports() {
    auto* const all = shared().all.load(std::memory_order_acquire);
    if (all != nullptr && !shared().interpreter_ended.load(std::memory_order_relaxed))
        return *all;
    if (all != nullptr && is_interpreter_ending())
        return *all; // what Python destroys at its end may still need them
    return attach_and_get_imports();
}

} // namespace bridge::detail
