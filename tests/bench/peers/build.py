# SPDX-License-Identifier: Apache-2.0
"""Builds the peers that are Rust, if cargo and its registry are there: `build.py FOLDER`."""

import os
import pathlib
import shutil
import subprocess
import sys

PEERS = "async_runtimes", "asyncio_0_20"


def cargo():
    return shutil.which("cargo") or shutil.which("cargo", path=pathlib.Path.home() / ".cargo/bin")


def build(program, peer, folder):
    """Why it was not built; nothing if it was."""
    source = pathlib.Path(__file__).parent / peer
    target = folder / "cargo"
    environment = {**os.environ, "PYO3_PYTHON": sys.executable}
    built = subprocess.run([program, "build", "--release", "--quiet", "--target-dir", target], cwd=source,
                           env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if built.returncode != 0:
        return built.stderr.strip().splitlines()[0]
    shutil.copy(target / "release" / f"libpeer_{peer}.so", folder / f"peer_{peer}.so")
    return ""


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    program = cargo()
    for peer in PEERS:
        why = build(program, peer, folder) if program else "there is no cargo"
        if why:
            print(f"bench: without the peer {peer}: {why}", flush=True)


if __name__ == "__main__":
    main()
