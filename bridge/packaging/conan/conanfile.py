# SPDX-License-Identifier: Apache-2.0
"""A Conan 2 recipe: `conan create bridge/packaging/conan` in a checkout. Python is the machine's."""

import pathlib
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy

PARTS = "bridge", "harness", "cli", "CMakeLists.txt", "LICENSE"


class Bridge(ConanFile):
    name = "bridge-asyncio"
    description = "Boost.Asio coroutines and Python's asyncio await each other"
    license = "Apache-2.0"
    package_type = "static-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"harness": [True, False], "runner": [True, False]}
    default_options = {"harness": True, "runner": True, "boost/*:header_only": True}

    def set_version(self):
        text = (pathlib.Path(self.recipe_folder) / "../../../CMakeLists.txt").read_text()
        self.version = re.search(r"project\(bridge VERSION ([\d.]+)", text)[1]

    def export_sources(self):
        checkout = str((pathlib.Path(self.recipe_folder) / "../../..").resolve())
        for part in PARTS:
            pattern = part if "." in part or part.isupper() else f"{part}/*"
            copy(self, pattern, checkout, self.export_sources_folder, excludes="*/__pycache__/*")

    def layout(self):
        cmake_layout(self)

    def validate(self):
        check_min_cppstd(self, 20)

    def requirements(self):
        headers = {"transitive_headers": True, "libs": False}
        self.requires("boost/[>=1.81 <2]", **headers)
        self.requires("pybind11/[>=2.10.3 <4]", **headers)
        if self.options.runner:
            self.requires("fmt/[>=9 <13]", visible=False)
            self.requires("cli11/[>=2.1 <3]", visible=False)
            self.requires("tomlplusplus/[>=3.3 <4]", visible=False)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for option in "TESTS", "EXAMPLES", "PYTHON":
            toolchain.cache_variables[f"BRIDGE_BUILD_{option}"] = False
        toolchain.cache_variables["BRIDGE_BUILD_HARNESS"] = bool(self.options.harness)
        toolchain.cache_variables["BRIDGE_BUILD_CLI"] = bool(self.options.runner)
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, f"{self.package_folder}/licenses")
        CMake(self).install()

    def package_info(self):  # the package has a file for find_package of its own
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/bridge"]
        self.cpp_info.bindirs = ["bin"]
