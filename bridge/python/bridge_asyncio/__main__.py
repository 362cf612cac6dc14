# SPDX-License-Identifier: Apache-2.0
"""Where the C++ side of this package is: `python -m bridge_asyncio --cmakedir`."""

import argparse
import importlib.metadata
import pathlib

HERE = pathlib.Path(__file__).resolve().parent / "cmake"


def main():
    parser = argparse.ArgumentParser(prog="python -m bridge_asyncio", description=__doc__)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--cmakedir", action="store_true", help="the folder with bridgeConfig.cmake, for bridge_DIR")
    asked.add_argument("--includes", action="store_true", help="compiler flags for the headers of bridge and its harness")
    asked.add_argument("--version", action="store_true", help="the version of the package")
    wanted = parser.parse_args()
    if wanted.version:
        print(importlib.metadata.version("bridge-asyncio"))
        return
    if not (HERE / "bridgeConfig.cmake").is_file():
        parser.exit(1, f"bridge_asyncio: {HERE} is not there: this package was not installed by pip; use the build "
                       "folder's own CMake files\n")  # fmt: skip
    source = HERE / "source"
    print(HERE if wanted.cmakedir else f"-I{source / 'bridge/include'} -I{source / 'harness/include'}")


if __name__ == "__main__":
    main()
