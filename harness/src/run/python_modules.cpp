// SPDX-License-Identifier: Apache-2.0
#include "run/python_modules.hpp"

#include "python_sources.hpp"
#include "run/python_stacks.hpp"
#include "run/steady_clock.hpp"

#include <bridge/detail/for_harness.hpp>
#include <bridge/event_loop.hpp>

#include <string>

namespace bridge::harness {
namespace {

py::dict load(const std::string& name, const char* text, const py::dict& given = {}) {
    return bridge::detail::run_embedded(("bridge.harness." + name).c_str(),
                                        ("harness/src/run/" + name + ".py").c_str(), text, given);
}

py::object names_of(const py::dict& all) {
    return py::module_::import("types").attr("SimpleNamespace")(**all);
}

} // namespace

py::dict load_run_test() {
    py::dict given;
    given["stacks_descriptor"] = python_stacks_descriptor();
    given["left_behind"] = names_of(load("left_behind", left_behind_source));
    given["watch"] = names_of(load("watch", watch_source));
    given["cancel_sweep"] = names_of(load("cancel_sweep", cancel_sweep_source, given));
    auto names = load("run_test", run_test_source, given);
    py::dict for_several;
    for (const char* name : {"left_behind", "watch"})
        for_several[name] = names[name];
    for_several["run_test"] = names_of(names);
    names["run_together"] = load("run_together", run_together_source, for_several)["run_together"];
    return names;
}

py::object load_call_text() {
    py::dict given;
    given["python_asserts"] = names_of(load("python_asserts", python_asserts_source));
    return load("python_text", python_text_source, given)["call_text"];
}

py::object load_virtual_time_loop() {
    py::dict native;
    native["EventLoop"] = event_loop_class();
    native["sees"] = py::cpp_function(&steady_clock_says);
    native["link_option"] = clock_link_option;
    py::dict given;
    given["native"] = names_of(native);
    return load("virtual_time", virtual_time_source, given)["VirtualTimeLoop"];
}

} // namespace bridge::harness
