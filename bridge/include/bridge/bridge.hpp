// SPDX-License-Identifier: Apache-2.0
// Everything, in the order in which the headers rest on each other.
#pragma once

#include <bridge/version.hpp>

#include <bridge/error.hpp>

#include <bridge/gil.hpp>
#include <bridge/interpreter.hpp>
#include <bridge/py_ref.hpp>
#include <bridge/python_error.hpp>

#include <bridge/executor.hpp>
#include <bridge/task_locals.hpp>

#include <bridge/event_loop.hpp>
#include <bridge/loop_executor.hpp>
#include <bridge/runtime.hpp>
#include <bridge/work.hpp>

#include <bridge/bytes.hpp>
#include <bridge/call.hpp>
#include <bridge/def_async.hpp>
#include <bridge/generator.hpp>
#include <bridge/override.hpp>
#include <bridge/produce.hpp>
#include <bridge/scope.hpp>
#include <bridge/slow_cancel.hpp>
#include <bridge/stream.hpp>
#include <bridge/to_cpp.hpp>
#include <bridge/to_python.hpp>
#include <bridge/to_thread.hpp>
#include <bridge/type_caster.hpp>
#include <bridge/use_python_future.hpp>
#include <bridge/with_timeout.hpp>

#include <bridge/blocking.hpp>
#include <bridge/main.hpp>
#include <bridge/run.hpp>
#include <bridge/stats.hpp>
