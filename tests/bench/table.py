# SPDX-License-Identifier: Apache-2.0
"""From what the processes measured to rows: medians, multiples, bars and marks."""

import statistics

import cases

WALL, CPU = 0, 1
REGIMES = {"pinned": "pinned to one processor", "two": "on two processors"}
PEERS = "pyo3-async-runtimes", "pyo3-asyncio 0.20", "call_soon_threadsafe by hand", "asyncio.to_thread"
SOURCE = PEERS[:2]  # the better of the two is the one that bars speak of


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def all_rounds(processes, name, loop, clock):
    return [one[clock] for process in processes for one in process.get(name, {}).get(loop, [])]


def multiple(processes, case, loop, clock):
    """Of the reference, round by round; the spread is that of the processes."""
    base = cases.reference_loop(case, loop)
    medians, every = [], []
    for process in processes:
        pairs = zip(process[case.name][loop], process[case.reference][base])
        rounds = [ours[clock] / other[clock] for ours, other in pairs]
        medians.append(statistics.median(rounds))
        every += rounds
    return {"median": statistics.median(every), "least": min(medians), "most": max(medians)}


def better_peer(processes, case, loop, clock):
    """The better of the source systems on that loop; on ours, whose peers run on asyncio's, on asyncio's."""
    on = "asyncio" if loop == "same-thread" else loop
    found = {}
    for peer in SOURCE:
        runs = all_rounds(processes, f"{peer}: {case.operation}", on, clock)
        if runs:
            found[peer] = statistics.median(runs)
    return min(found.items(), key=lambda one: one[1]) if found else (None, None)


def mark(value, bar, more_is_better=False):
    if bar is None or value is None:
        return ""
    return "met" if (value >= bar if more_is_better else value <= bar) else "MISSED"


def make_row(processes, case, loop, clock):
    wall, cpu = (spread(all_rounds(processes, case.name, loop, one)) for one in (WALL, CPU))
    row = {"case": case.name, "loop": loop, "wall": wall, "cpu": cpu, "reference": case.reference}
    if case.reference:
        row["multiple"] = multiple(processes, case, loop, clock)
        row["bar"] = case.bars[cases.LOOPS.index(loop)]
        row["mark"] = mark(row["multiple"]["median"], row["bar"])
    if case.operation:
        row["peer"], row["peer_ns"] = better_peer(processes, case, loop, clock)
        if row["peer"]:
            row["times"] = row["peer_ns"] / (cpu if clock else wall)["median"]
            row["times_bar"] = case.times[loop == "same-thread"]
            row["times_mark"] = mark(row["times"], row["times_bar"], more_is_better=True)
    return row


def make_rows(processes, chosen, regime):
    """Pinned, processor time is what passes, but for what other programs take of it."""
    clock = CPU if regime == "pinned" else WALL
    return [make_row(processes, case, loop, clock)
            for case in chosen for loop in cases.LOOPS if loop in processes[0][case.name]]


def peer_rows(processes, chosen):
    rows = []
    for operation in dict.fromkeys(case.operation for case in chosen if case.operation):
        for peer in PEERS:
            for loop in cases.LOOPS:
                name = f"{peer}: {operation}"
                if all_rounds(processes, name, loop, WALL):
                    wall, cpu = (spread(all_rounds(processes, name, loop, one)) for one in (WALL, CPU))
                    rows.append({"operation": operation, "peer": peer, "loop": loop, "wall": wall, "cpu": cpu})
    return rows


def nanoseconds(one):
    return f"{one['median']:,.0f} ({one['least']:,.0f}..{one['most']:,.0f})"


def show_row(row):
    cells = [row["case"], row["loop"], nanoseconds(row["wall"]), f"{row['cpu']['median']:,.0f}"]
    if "multiple" in row:
        part = row["multiple"]
        cells += [f"{part['median']:.2f} ({part['least']:.2f}..{part['most']:.2f})",
                  f"<= {row['bar']:g}" if row["bar"] else "", row["mark"]]
    else:
        cells += [""] * 3
    if row.get("times"):
        cells += [f"{row['peer_ns']:,.0f}", f"{row['times']:.1f}",
                  f">= {row['times_bar']:g}" if row["times_bar"] else "", row["times_mark"]]
    else:
        cells += [""] * 4
    return cells


HEADS = ("operation", "loop", "ns by the clock", "CPU ns", "of the reference", "bar", "", "peer, ns", "times", "bar", "")
PEER_HEADS = "operation", "peer", "loop", "ns by the clock", "CPU ns"


def show_peer(row):
    return [row["operation"], row["peer"], row["loop"], nanoseconds(row["wall"]), f"{row['cpu']['median']:,.0f}"]


def aligned(heads, rows):
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [heads, *rows])


PAGE_HEADS = ("operation", *(f"{loop}: ns" for loop in cases.LOOPS), "of the reference", "bars", "times the peer's", "bars")


def page_row(case, rows):
    """One line for the page: each loop's figures side by side, what misses its bar in bold."""

    def cells(text, mark_name):
        return " / ".join(f"**{text(row)}**" if row.get(mark_name) == "MISSED" else text(row) for row in rows)

    def bars(of, sign):
        said = [f"{bar:g}" if bar else "–" for bar in of]
        return "" if set(said) == {"–"} else f"{sign} {said[0] if len(set(said)) == 1 else ' / '.join(said)}"

    line = [case.name, *(f"{row['wall']['median']:,.0f}" for row in rows)]
    has_multiple, has_peer = case.reference, all(row.get("times") for row in rows)
    line += [cells(lambda row: f"{row['multiple']['median']:.2f}", "mark") if has_multiple else "",
             bars([row.get("bar") for row in rows], "≤")]
    line += [cells(lambda row: f"{row['times']:.1f}", "times_mark") if has_peer else "",
             bars([row["times_bar"] for row in rows], "≥") if has_peer else ""]
    return line


def page(rows):
    by_case = {}
    for row in rows:
        by_case.setdefault(row["case"], []).append(row)
    return markdown(PAGE_HEADS, [page_row(case, by_case[case.name]) for case in cases.CASES if case.name in by_case])


def markdown(heads, rows):
    lines = [list(heads), ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
