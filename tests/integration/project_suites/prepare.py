# SPDX-License-Identifier: Apache-2.0
"""A project's tests and an environment to run them in, below the build folder; kept for the next time."""

import pathlib
import shutil
import subprocess
import sys

STAMP = "ready"  # written last, with what the folder was made of


class Unavailable(Exception):
    """PyPI or Debian's archive did not give something: in one line."""


def ask(*command, **more):
    try:
        asked = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, **more)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from None
    if asked.returncode != 0:
        lines = [line for line in asked.stdout.splitlines() if line.startswith(("E:", "ERROR"))] or asked.stdout.splitlines()
        raise Unavailable(f"{pathlib.Path(command[0]).name} says: {lines[-1] if lines else 'nothing'}")
    return asked.stdout


def prepare(project, folder):
    """The folder that pytest is to run in, and its Python."""
    wanted = f"{sys.version}\n{project.source} {project.keep}\n{project.requirements.read_text()}"
    stamp = folder / STAMP
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make_environment(project, folder / "venv")
        if project.source != "wheel":
            fetch_source(project, folder)
        stamp.write_text(wanted)
    python = folder / "venv/bin/python"
    if project.source == "wheel":
        [packages] = (folder / "venv/lib").glob("python*/site-packages")
        return packages, python
    return folder / "source", python


def make_environment(project, venv):
    ask(sys.executable, "-m", "venv", str(venv))
    ask(str(venv / "bin/pip"), "install", "-q", "--disable-pip-version-check", "--no-deps", "--prefer-binary",
        "-r", str(project.requirements))  # fmt: skip


def fetch_source(project, folder):
    archive = from_debian(project, folder) if project.source == "debian" else from_pypi(project, folder)
    unpacked = folder / "unpacked"
    shutil.unpack_archive(archive, unpacked)
    [top] = unpacked.iterdir()
    (folder / "source").mkdir()
    for name in project.keep:
        if (top / name).exists():
            shutil.move(top / name, folder / "source" / name)
    shutil.rmtree(unpacked)


def from_pypi(project, folder):
    ask(str(folder / "venv/bin/pip"), "download", "-q", "--disable-pip-version-check", "--no-deps", "--no-binary", project.name,
        "-d", str(folder), f"{project.name}=={project.version}")  # fmt: skip
    return one_of(folder, f"{project.name}-{project.version}.tar.gz")


def from_debian(project, folder):
    """The sdist has no tests of the loop in it; Debian's copy of the repository has. Its lists stay in the folder."""
    mirrors = ask("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Origin: Debian").split()
    if not mirrors:
        raise Unavailable("apt-get knows no mirror of Debian")
    apt = folder / "apt"
    for part in ("lists/partial", "archives/partial"):
        (apt / part).mkdir(parents=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (apt / "sources.list").write_text(f"deb-src [signed-by={keys}] {mirrors[0]} trixie main\n")
    options = []
    for name, value in {"Dir::Etc::SourceList": apt / "sources.list", "Dir::Etc::SourceParts": "-", "Dir::State::Lists": apt / "lists",
                        "Dir::Cache": apt, "APT::Sandbox::User": ""}.items():  # fmt: skip
        options += ["-o", f"{name}={value}"]
    ask("apt-get", *options, "-qq", "update")
    ask("apt-get", *options, "-qq", "source", "--download-only", "--tar-only", f"python-{project.name}", cwd=folder)
    return one_of(folder, f"python-{project.name}_{project.version}.orig.tar.gz")


def one_of(folder, name):
    if not (folder / name).exists():
        raise Unavailable(f"there is no {name}")
    return folder / name
