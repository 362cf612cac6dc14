# SPDX-License-Identifier: Apache-2.0
"""The projects whose tests run on our loop. Their versions are in requirements/, what is left out in the page."""

import dataclasses
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[2] / "docs/reference/project_suites.md"


@dataclasses.dataclass(frozen=True)
class Project:
    name: str
    tests: str  # what pytest is given, relative to the source
    source: str = "sdist"  # or "wheel", "debian": where the tests are
    keep: tuple = ("tests",)  # of the source; the package itself is the wheel's
    options: tuple = ()
    fewest: int = 100  # tests that must run, or something is wrong with the runner
    seconds: int = 900  # for the whole suite on one loop

    @property
    def requirements(self):
        return HERE / "requirements" / f"{self.name}.txt"

    @property
    def version(self):
        return re.match(r"[\w.-]+==(\S+)", self.requirements.read_text())[1]


PROJECTS = (
    Project("aiohttp", "tests", keep=("tests", "pytest.ini", "setup.cfg", "examples"), seconds=1800, fewest=2000,
            options=("--aiohttp-fast", "-m", "not dev_mode and not autobahn and not internal")),  # fmt: skip
    Project("anyio", "tests", keep=("tests", "pyproject.toml"), options=("-k", "not trio and not uvloop"), fewest=1000),
    Project("tornado", "tornado/test", source="wheel", options=("--log-disable=tornado.access",), fewest=800),
    Project("uvloop", "tests", options=("-k", "AIO", "-s")),
    Project("websockets", "tests", source="debian", options=("-k", "asyncio or legacy"), fewest=500),
)


def rows_of(project, heading):
    """The tests of the project in the page's table below that heading, each with its reason."""
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(rf"^\| {project.name} \| `(.+?)` \| (.+?) \|$", section, re.M)
    return {test.replace("\\|", "|"): reason for test, reason in rows}
