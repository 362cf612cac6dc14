# SPDX-License-Identifier: Apache-2.0
"""Reads the reports that fuzz_junit writes: Python's expat takes each, and so do the rules."""

import subprocess
import sys
import xml.etree.ElementTree

import junit_rules


def main(program, *arguments):
    written = subprocess.run([program, *arguments], stdout=subprocess.PIPE, timeout=60, check=True)
    documents = written.stdout.split(b"\0")[:-1]
    for number, document in enumerate(documents):
        try:
            problems = junit_rules.problems(xml.etree.ElementTree.fromstring(document))
        except xml.etree.ElementTree.ParseError as error:
            problems = [str(error)]
        if problems:
            print(f"document {number}: {problems}\n{document!r}")
            return 1
    print(f"{len(documents)} reports are well-formed and within the rules")
    return 0 if len(documents) >= 100 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
