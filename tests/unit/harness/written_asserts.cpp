// SPDX-License-Identifier: Apache-2.0
// `assert` in tests in Python; test_written.py knows what each must say.
#include "written.hpp"

BRIDGE_SUITE("written", timeout(20s), tags("file"))

BRIDGE_TEST_PY(compares_in_python, R"(
    async def fetch():
        return [1, 2]

    async def test():
        expected = [1, 3]
        assert await fetch() == expected
)")

BRIDGE_TEST_PY(asserts_in_python, R"(
    def test():
        seen = []

        def once(value):
            seen.append(value)
            return value

        assert once(1) < once(2) and seen == [1, 2]
        assert once("a") in once("abc"), once("never evaluated")
        assert not once([])
        assert seen == [1, 2, "a", "abc", []]
        try:
            assert not seen
        except AssertionError as error:
            assert str(error) == "assert not seen: seen is [1, 2, 'a', 'abc', []]"
        else:
            raise RuntimeError("it has held")
)")

BRIDGE_TEST_PY(says_of_asserts_what_it_saw, R"py(
    import weakref

    class Odd:
        def __repr__(self):
            raise ZeroDivisionError

    class Thing:
        pass

    def said_of(function):
        try:
            function()
        except AssertionError as error:
            return str(error)

    def long_lists():
        assert [0] * 9 + [1] == [0] * 9 + [2, 3]

    def long_texts():
        assert "abcdefgh" == "abcdefg"

    def lists_that_differ_in_no_order():
        assert [0] * 9 != [0] * 9

    def a_long_value():
        assert "x" * 600 in ()

    def an_odd_value():
        assert Odd() == 1

    def a_chain():
        assert 1 < 2 < 2, "with a message"

    def test():
        assert said_of(long_lists).endswith("\n  the first difference is at 9: [1] and [2, 3]")
        assert said_of(long_texts).endswith("\n  the first difference is at 7: 'h' and ''")
        assert "difference" not in said_of(lists_that_differ_in_no_order)
        assert said_of(a_long_value).endswith("xxx... (602 characters) in ()")
        assert said_of(an_odd_value).endswith(": <Odd whose repr raises ZeroDivisionError> == 1")
        assert said_of(a_chain) == "with a message\nassert 1 < 2 < 2: it is False"
        made = []

        def make():
            thing = Thing()
            made.append(weakref.ref(thing))
            return thing

        assert make()
        assert made[0]() is None, "it was kept beyond the statement"
)py")
