# SPDX-License-Identifier: Apache-2.0
"""The documentation against the tree: links lead somewhere, quoted code is the example's own."""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ROWS = [f"{part}{n}" for part, last in (("B", 21), ("H", 10), ("C", 11), ("P", 11), ("E", 8), ("R", 8))
        for n in range(1, last + 1)]


def broken_links(page, text):
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in link and not (page.parent / link).exists():
            yield f"{page.relative_to(ROOT)}: link to {link}, which does not exist"


def foreign_code(page, text):
    for source, code in re.findall(r"<!-- from (\S+) -->\s*```\w*\n(.*?)```", text, re.S):
        path = ROOT / source
        if not path.exists() or code.strip() not in path.read_text():
            yield f"{page.relative_to(ROOT)}: the code said to be from {source} is not in it"


def missing_rows():
    page = (ROOT / "docs/features.md").read_text()
    for row in ROWS:
        if not re.search(rf"^\| {row} \| [^|]+ \| (works|partly: .+|not yet) \|", page, re.M):
            yield f"docs/features.md: no row {row} with its state"


def platform_cells():
    table = re.search(r"<<'TABLE'\n(.*?)\nTABLE\n", (ROOT / ".ci/platforms").read_text(), re.S)[1]
    return dict(line.split()[:2] for line in table.splitlines())


def unlike_platforms():
    cells = platform_cells()
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    in_ci = re.findall(r"\{cell: ([^,}]+), debian: ([^,}]+)\}", workflow)
    if len(in_ci) < 8:
        yield f".github/workflows/ci.yml: {len(in_ci)} cells of ./dev platforms; eight are promised"
    for cell, debian in in_ci:
        if cells.get(cell) != debian:
            yield f".github/workflows/ci.yml: ./dev platforms has no cell {cell} of {debian}"
    page = (ROOT / "docs/reference/platforms.md").read_text()
    for cell in cells:
        if f"| `{cell}` |" not in page:
            yield f"docs/reference/platforms.md: says nothing of the cell {cell}"


def tags_of_streams():
    """The ids that tests of streams bear: tags of the harness's tests, `kit` of the differential ones."""
    for source in (ROOT / "tests/conformance").glob("*.cpp"):
        for tags in re.findall(r"\btags\(([^)]*)\)", source.read_text()):
            yield from re.findall(r'"([IO]\d+)"', tags)
    for kit in re.findall(r'kit="([^"]*)"', (ROOT / "tests/differential/programs/generators.py").read_text()):
        yield from kit.split()


def untested_sentences():
    page = (ROOT / "docs/reference/streams_kit.md").read_text()
    promised = {*re.findall(r"^\| ([IO]\d+) \|", page, re.M)}
    shown = {*tags_of_streams()}
    if promised != {*(f"I{n}" for n in range(1, 25)), *(f"O{n}" for n in range(1, 26))}:
        yield "docs/reference/streams_kit.md: not the sentences I1 to I24 and O1 to O25"
    for one in sorted(promised - shown):
        yield f"docs/reference/streams_kit.md: no test bears {one}"
    for one in sorted(shown - promised):
        yield f"docs/reference/streams_kit.md: has no {one}, which a test bears"


def main():
    problems = [*missing_rows(), *unlike_platforms(), *untested_sentences()]
    for page in PAGES:
        text = page.read_text()
        problems += [*broken_links(page, text), *foreign_code(page, text)]
    if len((ROOT / "README.md").read_text().splitlines()) > 120:
        problems.append("README.md: longer than 120 lines")
    print("\n".join(problems) or f"{len(PAGES)} pages are true to the tree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
