# SPDX-License-Identifier: Apache-2.0
"""The vcpkg port, built from this tree, and a project that takes the package. What it depends on is the
system's: overlay ports say that it is there. VCPKG_ROOT names a vcpkg; without one the test is skipped."""

import os
import pathlib
import sys
import unittest

from test_install import PYTHON, SOURCE, Folder, run

ROOT = os.environ.get("VCPKG_ROOT", "")
OF_THE_SYSTEM = "boost-asio", "pybind11", "python3", "cli11", "fmt", "tomlplusplus"
TRIPLET = """
set(VCPKG_TARGET_ARCHITECTURE x64)
set(VCPKG_CMAKE_SYSTEM_NAME Linux)
set(VCPKG_CRT_LINKAGE dynamic)
set(VCPKG_LIBRARY_LINKAGE static)
set(VCPKG_BUILD_TYPE release)
set(VCPKG_FIXUP_ELF_RPATH OFF)
set(VCPKG_CMAKE_CONFIGURE_OPTIONS "-DPython_EXECUTABLE={python}")
"""


class Vcpkg(Folder):
    def vcpkg(self, *words):
        place = self.folder / "vcpkg"
        return run(f"{ROOT}/vcpkg", *words, "--classic", f"--x-install-root={place}/installed", f"--x-buildtrees-root={place}/trees",
                   f"--x-packages-root={place}/packages", f"--downloads-root={place}/downloads", f"--overlay-triplets={place}/triplets",
                   f"--overlay-ports={place}/system", f"--overlay-ports={SOURCE}/bridge/packaging/vcpkg", "--binarysource=clear",
                   "--triplet=here", "--host-triplet=here",
                   env={**os.environ, "VCPKG_FORCE_SYSTEM_BINARIES": "1", "VCPKG_DISABLE_METRICS": "1"})  # fmt: skip

    def setUp(self):
        super().setUp()
        for name in OF_THE_SYSTEM:
            port = self.folder / "vcpkg/system" / name
            port.mkdir(parents=True)
            (port / "vcpkg.json").write_text(f'{{"name": "{name}", "version": "99"}}')
            (port / "portfile.cmake").write_text("set(VCPKG_POLICY_EMPTY_PACKAGE enabled)\n")
        for part in "triplets", "downloads":
            (self.folder / "vcpkg" / part).mkdir()
        (self.folder / "vcpkg/triplets/here.cmake").write_text(TRIPLET.format(python=PYTHON))

    def test_a_project_that_takes_it(self):
        said = self.vcpkg("install", "bridge-asyncio[core,harness,runner]")
        self.assertNotIn("warning", said.lower())
        self.configure("-DBRIDGE_WAY=find_package", f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/scripts/buildsystems/vcpkg.cmake", "-DVCPKG_TARGET_TRIPLET=here",
                       f"-DVCPKG_OVERLAY_TRIPLETS={self.folder}/vcpkg/triplets", f"-DVCPKG_INSTALLED_DIR={self.folder}/vcpkg/installed",
                       "-DVCPKG_MANIFEST_MODE=OFF", "-DCMAKE_BUILD_TYPE=Release", "-DBRIDGE_COMPONENTS=bridge;harness;runner")  # fmt: skip
        self.build_and_test(3)


if __name__ == "__main__":
    if not (pathlib.Path(ROOT) / "vcpkg").exists():
        print("skipped: VCPKG_ROOT names no folder with vcpkg in it")
        sys.exit(77)
    unittest.main()
