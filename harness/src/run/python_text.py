# SPDX-License-Identifier: Apache-2.0
"""A test that is written in Python, in the text of a BRIDGE_TEST_PY."""

import inspect
import textwrap


def _lines_before(text, file, line):
    """How many lines of the file are before the text, so that tracebacks show the file's own lines."""
    try:
        with open(file, encoding="utf-8") as source:
            before, found, _ = source.read().partition(text)
    except (OSError, UnicodeDecodeError):
        found = ""
    return before.count("\n") if found else line - 1


def _arguments(function, names, offers):
    """By the names of its parameters: what the fixture provides, and what every test may ask for."""
    arguments = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in names:
            arguments[name] = names[name]
        elif name in offers:
            arguments[name] = offers[name]()
        elif parameter.default is parameter.empty:
            known = ", ".join((*names, *offers))
            raise TypeError(f"the test takes {name!r}, which nobody provides; there are: {known}")
    return arguments


async def call_text(text, file, line, names, offers):
    """Runs the function `test` that the text of a BRIDGE_TEST_PY defines."""
    source = "\n" * _lines_before(text, file, line) + textwrap.dedent(text)
    scope = {"__name__": "bridge_test_text", "__file__": file}
    exec(python_asserts.compile_text(source, file, scope), scope)
    test = scope.get("test")
    if not callable(test):
        raise TypeError("the text of a BRIDGE_TEST_PY defines no function `test`; write `async def test(): ...`")
    result = test(**_arguments(test, names, offers))
    if inspect.isawaitable(result):
        await result
