# SPDX-License-Identifier: Apache-2.0
"""Exceptions on their way through."""

import asyncio
import traceback

from program import ended, outcome, program, show


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Severe(BaseException):
    pass


def _all_ways(n, error):
    return [n.fail(error), n.hop_and_fail(error), n.call(lambda: n.fail(error)), n.hop_and_call(lambda: n.fail(error))]


@program
async def an_error(n, t):
    for awaitable in _all_ways(n, ValueError("wrong", 1)):
        t(await outcome(awaitable))


@program
async def the_same_exception(n, t):
    error = KeyError("k")
    for awaitable in _all_ways(n, error):
        try:
            await awaitable
        except KeyError as seen:
            t(seen is error)


@program
async def an_error_of_python_code_below(n, t):
    async def below():
        await asyncio.sleep(0)
        raise LookupError("below")

    t(await outcome(n.call(below)))
    t(await outcome(n.hop_and_call(below)))
    t(await outcome(n.call_in_child(below)))
    t(await outcome(n.call(lambda: n.call(below))))


@program
async def an_error_of_the_function_itself(n, t):
    t(await outcome(n.call(lambda: 1 / 0)))
    t(await outcome(n.hop_and_call(lambda: 1 / 0)))


@program
async def cause_and_context(n, t):
    async def below():
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error

    t(await outcome(n.call(below)))
    t(await outcome(n.hop_and_call(below)))


@program
async def raised_while_another_is_handled(n, t):
    for fail in (n.fail, n.hop_and_fail):
        try:
            raise KeyError("outer")
        except KeyError:
            t(await outcome(fail(ValueError("inner"))))


@program
async def raised_below_while_another_is_handled(n, t):
    async def below():
        await asyncio.sleep(0)
        raise ValueError("inner")

    try:
        raise KeyError("outer")
    except KeyError:
        t(await outcome(n.call(below)))


@program
async def raised_again_while_it_is_handled(n, t):
    error = ValueError("one")
    try:
        raise error
    except ValueError:
        try:
            await n.fail(error)
        except ValueError as seen:
            t(seen is error, seen.__context__)


@program
async def from_none(n, t):
    async def below():
        try:
            raise KeyError("hidden")
        except KeyError:
            raise ValueError("shown") from None

    try:
        await n.call(below)
    except ValueError as error:
        t(error, error.__suppress_context__)


@program(since=(3, 11))
async def notes(n, t):
    async def below():
        try:
            await n.fail(ValueError("noted"))
        except ValueError as error:
            error.add_note("one")
            raise

    try:
        await n.call(below)
    except ValueError as error:
        error.add_note("two")
        t(error)


@program(since=(3, 11))
async def groups(n, t):
    group = ExceptionGroup("several", [ValueError(1), ExceptionGroup("inner", [KeyError("k")])])
    for awaitable in _all_ways(n, group):
        t(await outcome(awaitable))


@program
async def a_text_that_raises(n, t):
    for awaitable in _all_ways(n, Odd("odd")):
        try:
            await awaitable
        except Odd as error:
            t(type(error).__name__, error.args)


@program
async def stop_iteration(n, t):
    for error in (StopIteration(5), StopIteration(), StopAsyncIteration("end")):
        for awaitable in _all_ways(n, error):
            t(await outcome(awaitable))


@program
async def generator_exit(n, t):
    t(await outcome(n.fail(GeneratorExit("g"))))
    t(await outcome(n.hop_and_fail(GeneratorExit("g"))))


@program
async def a_base_exception(n, t):
    t(await outcome(n.fail(Severe("s"))), await outcome(n.hop_and_fail(Severe("s"))))
    t(await ended(asyncio.create_task(n.hop_and_fail(Severe("task")))))


@program
async def cancelled_error_of_its_own(n, t):
    for awaitable in _all_ways(n, asyncio.CancelledError("mine")):
        task = asyncio.create_task(awaitable)
        t(await ended(task), task.cancelled(), await outcome(task))


@program
async def through_many_layers(n, t):
    async def layer(depth):
        try:
            await n.call(lambda: layer(depth - 1) if depth else n.hop_and_fail(ValueError("bottom")))
        except ValueError as error:
            t(depth, error)
            raise

    t(await outcome(layer(5)))


@program
async def replaced_in_clean_up(n, t):
    async def clean():
        await asyncio.sleep(0)
        raise KeyError("in clean-up")

    try:
        await n.with_cleanup(lambda: n.give(1), clean)
    except KeyError as error:
        t(error)


@program
async def python_frames_stay_in_the_traceback(n, t):
    async def below():
        await asyncio.sleep(0)
        raise ValueError("deep")

    async def middle():
        await n.call(below)

    try:
        await n.call(middle)
    except ValueError as error:
        frames = traceback.extract_tb(error.__traceback__)
        t([frame.name for frame in frames if frame.filename == __file__])


@program
async def nobody_retrieves_it(n, t):
    task = asyncio.create_task(n.hop_and_fail(ValueError("lost")))
    await asyncio.wait([task])


def _keyboard(n, t, fail, error):
    async def main():
        try:
            await fail(error)
        except BaseException as seen:
            t("main saw", seen)
            raise

    try:
        asyncio.run(main())
    except BaseException as seen:
        t("run raised", seen)


@program
def keyboard_interrupt(n, t):
    _keyboard(n, t, n.fail, KeyboardInterrupt("key"))
    _keyboard(n, t, n.hop_and_fail, KeyboardInterrupt("key"))


@program
def system_exit(n, t):
    _keyboard(n, t, n.fail, SystemExit(3))
    _keyboard(n, t, n.hop_and_fail, SystemExit(3))


@program
def system_exit_in_a_task_beside_main(n, t):
    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        asyncio.create_task(n.hop_and_fail(SystemExit(4)))
        try:
            await n.forever()
        except asyncio.CancelledError:
            t("main is cancelled")
            raise

    try:
        asyncio.run(main())
    except BaseException as error:
        t(show(error))
