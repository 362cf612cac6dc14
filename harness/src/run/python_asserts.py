# SPDX-License-Identifier: Apache-2.0
"""`assert` in the text of a BRIDGE_TEST_PY says what it has seen: "assert a == b: 1 == 2"."""

import ast

_LONGEST = 500
_EXPLAIN = "@explain"
_SIDES = ("@left", "@right")  # no text can have such names


def _show(value):
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"


def _first_difference(left, right):
    """Of two texts or lists, one of which is long."""
    if type(left) is not type(right) or not isinstance(left, (str, bytes, list, tuple)):
        return ""
    if max(len(left), len(right)) < 8:
        return ""
    pairs = enumerate(zip(left, right))
    at = next((i for i, (one, other) in pairs if one != other), min(len(left), len(right)))
    return f"\n  the first difference is at {at}: {_show(left[at:at + 20])} and {_show(right[at:at + 20])}"


def _explain(source, operator, message, *values):
    shown = [_show(one) for one in values]
    text = f"assert {source}: {f' {operator} '.join(shown) if operator else f'it is {shown[0]}'}"
    if source.startswith("not ") and not operator:
        text = f"assert {source}: {source.removeprefix('not ')} is {shown[0]}"
    if operator == "==":  # else there is nothing to compare
        text += _first_difference(*values)
    return AssertionError(text if message is None else f"{message}\n{text}")


def _operator(test):
    """As it is written; empty if it is not one comparison."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return ""
    sides = [ast.Name(name, ast.Load()) for name in "lr"]
    return ast.unparse(ast.Compare(sides[0], test.ops, sides[1:]))[2:-2]


class _Asserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        """Evaluates the sides once, in their order, and keeps neither of them beyond the statement."""
        self.generic_visit(node)
        if isinstance(node.test, (ast.Tuple, ast.Constant)):
            return node  # the compiler has a warning for these
        operator = _operator(node.test)
        negates = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        if operator:
            values = [node.test.left, node.test.comparators[0]]
        else:
            values = [node.test.operand if negates else node.test]
        names = _SIDES[: len(values)]
        seen = [ast.Name(name, ast.Load()) for name in names]
        what = [ast.Constant(ast.unparse(node.test)), ast.Constant(operator), node.msg or ast.Constant(None)]
        holds = ast.Compare(seen[0], node.test.ops, seen[1:]) if operator else seen[0]
        fails = holds if negates else ast.UnaryOp(ast.Not(), holds)
        failure = ast.Raise(ast.Call(ast.Name(_EXPLAIN, ast.Load()), [*what, *seen], []))
        made = [
            *(ast.Assign([ast.Name(name, ast.Store())], value) for name, value in zip(names, values)),
            ast.If(fails, [failure], []),
            *(ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None)) for name in names),
        ]
        return [ast.copy_location(one, node) for one in made]


def compile_text(source, file, scope):
    """The code of the text, for this scope, which gets what its asserts need."""
    scope[_EXPLAIN] = _explain
    tree = _Asserts().visit(ast.parse(source, file))
    return compile(ast.fix_missing_locations(tree), file, "exec")
