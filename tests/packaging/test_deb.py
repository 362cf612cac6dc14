# SPDX-License-Identifier: Apache-2.0
"""`cpack -G DEB`: what is in the packages, what lintian says, and a project of a user's that finds them."""

import pathlib
import shutil
import sys
import tempfile
import unittest

from test_install import BUILD, Folder, call, run

# Of a build that is not configured for /usr, as this one is not: see docs/guides/installing.md.
ALLOWED = {"pkg-config-unavailable-for-cross-compilation"}


class Deb(Folder):
    @classmethod
    def setUpClass(cls):
        cls.packages = pathlib.Path(tempfile.mkdtemp(prefix="bridge-deb-"))
        cls.addClassCleanup(shutil.rmtree, cls.packages)
        run("cpack", "--config", f"{BUILD}/CPackConfig.cmake", "-G", "DEB", "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip", "-B", str(cls.packages))

    def test_the_two_packages(self):
        names = sorted(path.name.split("_")[0] for path in self.packages.glob("*.deb"))
        self.assertEqual(names, ["bridge-test", "libbridge-asyncio-dev"])
        [runner] = self.packages.glob("bridge-test_*.deb")
        self.assertIn("libc6", run("dpkg-deb", "-f", str(runner), "Depends"))
        files = run("dpkg-deb", "-c", str(runner))
        for file in ("./usr/bin/bridge-test", "./usr/share/man/man1/bridge-test.1.gz", "./usr/share/doc/bridge-test/copyright"):
            self.assertIn(file, files)

    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed")
    def test_lintian_has_nothing_to_say(self):
        said = call("lintian", "--fail-on", "none", *map(str, self.packages.glob("*.deb"))).stdout
        tags = {line.split(": ")[2].split()[0] for line in said.splitlines() if line[:3] in ("E: ", "W: ")}
        self.assertLessEqual(tags, ALLOWED, said)

    def test_a_project_finds_them(self):
        for package in self.packages.glob("*.deb"):
            run("dpkg-deb", "-x", str(package), str(self.folder / "root"))
        self.configure("-DBRIDGE_WAY=find_package", "-DBRIDGE_COMPONENTS=bridge;harness;runner",
                       f"-DCMAKE_PREFIX_PATH={self.folder}/root/usr")  # fmt: skip
        for target in ("bridge", "harness", "runner"):
            self.assertTrue(list(self.folder.rglob(f"bridge-{target}.cmake")), target)


if __name__ == "__main__":
    if shutil.which("dpkg-deb") is None or shutil.which("dpkg-shlibdeps") is None:
        print("skipped: dpkg-dev is not installed")
        sys.exit(77)
    unittest.main()
