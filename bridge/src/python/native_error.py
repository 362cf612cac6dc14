# SPDX-License-Identifier: Apache-2.0
# The exception for what no conversion rule knows.
import sys


class ClassReference:
    """Called as the class; unpickled as what has that path in the other process."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *args):
        return NativeError(*args)

    def __reduce__(self):
        import pkgutil

        return pkgutil.resolve_name, (self.path,)


def find_path(wanted):
    """The "module:name" of a class that some module has; a program's main module has another name elsewhere."""
    for module_name, module in list(sys.modules.items()):
        if module_name in ("__main__", "__mp_main__"):
            continue
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is wanted:
                return f"{module_name}:{name}"
    return None


class NativeError(RuntimeError):
    """A C++ exception that no conversion rule knows."""

    __module__ = "bridge_asyncio"
    __qualname__ = "NativeError"

    def __reduce__(self):
        if type(self) is not NativeError:
            return super().__reduce__()
        path = find_path(NativeError)
        make = ClassReference(path) if path else RuntimeError  # what it is to a process that has no name for it
        return make, self.args, vars(self) or None
