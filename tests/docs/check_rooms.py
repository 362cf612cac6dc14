# SPDX-License-Identifier: Apache-2.0
"""The rooms of docs/design/overview.md against the tree: a room includes only rooms below it."""

import pathlib
import re
import sys

ENTRY_POINTS = ("main.cpp", "entry.cpp")
# What each library may include of the others.
MAY_USE = {"bridge": {"bridge"}, "protocol": {"protocol"}, "harness": {"bridge", "protocol", "harness"},
           "cli": {"protocol", "cli"}}


def pictures(page):
    """{source folder: [rooms from the ground up]} and {header: the room that it is a door of}."""
    houses = {}
    for folder, rows in re.findall(r"```\n(\w+/src)\b[^\n]*\n(.*?)```", page, re.S):
        houses[folder] = re.findall(r"^  (\w+)", rows, re.M)[::-1]
    return houses, dict(re.findall(r"^\| `([\w/.]+\.hpp)` \| (\w+) \|", page, re.M))


def stem(path):
    return re.sub(r"_posix$", "", path.stem)


class House:
    def __init__(self, root, folder, rooms, doors):
        self.root, self.src, self.rooms, self.doors = root, root / folder, rooms, doors
        self.files = sorted(p for p in (root / folder).rglob("*") if p.suffix in (".cpp", ".hpp"))
        self.public = root / folder.split("/")[0] / "include"
        self.room_of_stem = {stem(p): self.room(p) for p in self.files if p.suffix == ".cpp" and self.room(p)}
        self.known = {}

    def room(self, path):
        parts = path.relative_to(self.src).parts
        return parts[0] if len(parts) == 2 else None

    def height(self, header):
        """Of a public header: its source's room, or that of the highest header it includes."""
        if header not in self.known:
            path, room = self.public / header, self.doors.get(header) or self.room_of_stem.get(pathlib.Path(header).stem)
            self.known[header] = 0  # while it is looked at: includes have no cycles
            self.known[header] = self.rooms.index(room) if room else max(
                [self.height(other) for other in self.includes_of(path, "<>") if (self.public / other).exists()], default=0)
        return self.known[header]

    @staticmethod
    def includes_of(path, marks):
        pattern = r'^#include ' + re.escape(marks[0]) + r"([^>\"]+)" + re.escape(marks[-1])
        return re.findall(pattern, path.read_text(), re.M)

    def included_rooms(self, path):
        for name in self.includes_of(path, '""'):
            if "/" in name:
                yield name, self.rooms.index(name.split("/")[0])
            elif not list(self.src.rglob(name + ".in")):
                yield name, len(self.rooms)
        for name in self.includes_of(path, "<>"):
            if name.startswith("bridge/") and (self.public / name).exists():
                yield name, self.height(name)

    def wrong_places(self):
        for path in self.files:
            where = path.relative_to(self.root)
            if self.room(path) is None and path.name not in ENTRY_POINTS:
                yield f"{where}: not in a room; only {' and '.join(ENTRY_POINTS)} stand outside"
            elif self.room(path) not in [None, *self.rooms]:
                yield f"{where}: the picture in docs/design/overview.md has no room {self.room(path)}"
        for room in self.rooms:
            if not (self.src / room).is_dir():
                yield f"docs/design/overview.md: {self.src.relative_to(self.root)} has no room {room}"

    def ways_up(self):
        for path in self.files:
            room = self.room(path)
            own = self.rooms.index(room) if room in self.rooms else len(self.rooms)
            for name, height in self.included_rooms(path):
                if height > own:
                    yield f"{path.relative_to(self.root)}: includes {name}, which is above {room}"
        for path in sorted(self.public.rglob("*.hpp")):
            header = str(path.relative_to(self.public))
            for name, height in self.included_rooms(path):
                if height > self.height(header):
                    yield f"{path.relative_to(self.root)}: includes {name}, which is above it"


def library(path, root):
    parts = path.relative_to(root).parts
    return "protocol" if "protocol" in parts else parts[0]


def foreign_libraries(root):
    for folder in ("bridge", "harness", "cli"):
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            for name in House.includes_of(path, "<>"):
                if not name.startswith("bridge/"):
                    continue
                other = name.split("/")[1] if name.split("/")[1] in ("protocol", "harness") else "bridge"
                if other not in MAY_USE[library(path, root)]:
                    yield f"{path.relative_to(root)}: includes {name}, of a library that it must not use"


def unlisted_headers(root):
    """Those that `cmake --install` would leave out."""
    for folder in ("bridge", "harness"):
        listed = (root / folder / "CMakeLists.txt").read_text()
        for path in sorted((root / folder / "include").rglob("*.hpp")):
            if str(path.relative_to(root / folder)) not in listed:
                yield f"{path.relative_to(root)}: not in the FILE_SET of {folder}/CMakeLists.txt, so it is not installed"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    houses, doors = pictures((root / "docs/design/overview.md").read_text())
    problems = [f"docs/design/overview.md: no picture of {name}/src" for name in ("bridge", "harness", "cli")
                if f"{name}/src" not in houses]
    for folder, rooms in houses.items():
        house = House(root, folder, rooms, doors)
        misplaced = list(house.wrong_places())
        problems += misplaced or house.ways_up()
    problems += foreign_libraries(root)
    problems += unlisted_headers(root)
    print("\n".join(problems) or f"{sum(map(len, houses.values()))} rooms rest on those below them")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
