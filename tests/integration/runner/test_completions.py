# SPDX-License-Identifier: Apache-2.0
"""The scripts for shells, asked in those shells what they would offer."""

import os
import re
import shlex
import shutil
import subprocess
import unittest

from driver import BOUND, PROGRAM, RunnerTest

VERBS = {"run", "list", "merge", "show-config", "completions", "help"}
MODES = {"process", "fork", "batch", "none"}

# words before the cursor, the last of them begun: what is offered
CASES = [
    (["--isol"], {"--isolation"}),
    (["--isolation", ""], MODES),
    (["run", "--isolation", "f"], {"fork"}),
    (["completions", ""], {"bash", "zsh", "fish"}),
    (["help", "exit"], {"exit-codes"}),
    (["me"], {"merge"}),
    (["--junit", "re"], {"report.xml"}),
    (["list", "bin"], {"binary"}),
    (["--color", "a"], {"auto", "always"}),
]


class Completions(RunnerTest):
    def setUp(self):
        super().setUp()
        for name in ("report.xml", "binary"):
            open(os.path.join(self.folder, name), "w").close()
        self.environment["HOME"] = self.folder

    def shell(self, name, script):
        path = shutil.which(name)
        if path is None:
            self.skipTest(f"{name} is not installed")
        with open(os.path.join(self.folder, "script"), "w") as file:
            subprocess.run([PROGRAM, "completions", name], stdout=file, check=True, timeout=BOUND)
        options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[name]
        done = subprocess.run(
            [path, *options, "-c", script],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=BOUND,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def offered_by_bash(self, words):
        all_words = " ".join(shlex.quote(word) for word in ["bridge-test", *words])
        script = f"COMP_WORDS=({all_words}); COMP_CWORD={len(words)}\n"
        return set(self.shell("bash", ". ./script\n" + script + '_bridge_test; printf "%s\\n" "${COMPREPLY[@]}"').split())

    def test_bash(self):
        for words, offered in CASES:
            with self.subTest(words):
                self.assertEqual(self.offered_by_bash(words), offered)
        self.assertLessEqual(VERBS, self.offered_by_bash([""]))
        self.assertEqual(self.offered_by_bash(["--jobs", ""]), set())
        self.assertEqual(self.offered_by_bash(["--isolation", "=", "ba"]), {"batch"})
        self.assertEqual(self.offered_by_bash(["--isolation", "="]), MODES)

    def test_fish(self):
        for words, offered in CASES:
            with self.subTest(words):
                line = " ".join(["bridge-test", *words])
                said = self.shell("fish", f'. ./script; complete -C"{line}"')
                names = {one.split("\t")[0] for one in said.splitlines()}
                if words[0] in ("me", "list"):  # files beside them
                    self.assertLessEqual(offered, names)
                else:
                    self.assertEqual(names, offered)

    def test_zsh(self):
        for words, offered in CASES:
            with self.subTest(words):
                line = " ".join(["bridge-test", *words])
                said = self.shell("zsh", ZSH.replace("LINE", line))
                plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", said)
                listed = plain.partition(line.strip())[2].partition("ready")[0]
                names = set(re.findall(r"[\w.-]+", listed))
                self.assertLessEqual(offered, names, plain)
                if not offered & (VERBS | {"--isolation"}):  # listed with what they do
                    self.assertEqual(names, offered, plain)


# It completes in a terminal only, here its own: Tab lists what there is.
ZSH = r"""
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner 'autoload -U compinit; compinit -D -u; . ./script; bindkey "^I" list-choices; PS1="rea""dy"'
zpty -r inner text '*ready*' # its prompt: from here on it reads keys, not lines
zpty -w -n inner $'LINE\t'
zpty -w -n inner $'\x15print e""nd; exit\n'
zpty -r inner text '*end*'
print -r -- "$text"
"""


if __name__ == "__main__":
    unittest.main()
