# SPDX-License-Identifier: Apache-2.0
"""The picture: what an operation costs, ours and the peers', on a logarithmic scale."""

import html
import math

OURS = {  # operation of the peers: ours
    "ready": "P1 ready, no arguments",
    "suspend, 1 task": "P2 one suspend, 1 task",
    "suspend, 64 tasks": "P2/P3 one suspend, 64 tasks",
    "gather": "P3 gather of 10,000, hot",
    "await Python": "P4 C++ awaits Python, delegated",
    "await Python, window": "P4 window 64",
    "stream in": "P5 stream into C++, buffer of 256",
    "cancel": "P7 create and cancel 10,000",
}
TITLES = {
    "ready": "Python awaits native code that does not wait",
    "suspend, 1 task": "… that waits once",
    "suspend, 64 tasks": "… that waits once, 64 tasks",
    "gather": "… 10,000 in a gather",
    "await Python": "native code awaits Python, one after the other",
    "await Python, window": "… from native threads, 64 at a time",
    "stream in": "an item of a Python async generator",
    "cancel": "create and cancel 10,000",
}
COLOURS = {"bridge, same-thread loop": "#0b6e4f", "bridge, asyncio's loop": "#3aa17e",
           "pyo3-async-runtimes": "#c8553d", "pyo3-asyncio 0.20": "#e39774",
           "call_soon_threadsafe by hand": "#7a7a8c", "asyncio.to_thread": "#b5b5c3"}
LEFT, WIDTH, LINE, LEAST, MOST = 340, 550, 16, 50, 200_000


def place(nanoseconds):
    span = math.log(MOST) - math.log(LEAST)
    return max(0.0, (math.log(nanoseconds) - math.log(LEAST)) / span) * WIDTH


def bars_of(regime, operation):
    """(whose, nanoseconds) from asyncio's loop, and from ours."""
    for row in regime["rows"]:
        if row["case"] == OURS[operation] and row["loop"] != "uvloop":
            whose = "bridge, same-thread loop" if row["loop"] == "same-thread" else "bridge, asyncio's loop"
            yield whose, row["wall"]["median"]
    for row in regime["peers"]:
        if row["operation"] == operation and row["loop"] == "asyncio":
            yield row["peer"], row["wall"]["median"]


def draw_group(regime, operation, y):
    parts = [f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end" font-weight="bold">{TITLES[operation]}</text>']
    for whose, value in bars_of(regime, operation):
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{place(value):.1f}" height="{LINE - 3}" fill="{COLOURS[whose]}"/>')
        label = f"{value:,.0f} ns" if value < 1000 else f"{value / 1000:,.1f} µs"
        parts.append(f'<text x="{LEFT + place(value) + 5:.1f}" y="{y + 11}">{label}</text>')
        y += LINE
    return parts, y + 12


def draw_legend(y):
    parts = []
    for i, (whose, colour) in enumerate(COLOURS.items()):
        x = 20 + (i % 3) * 300
        line = y + (i // 3) * 20
        parts.append(f'<rect x="{x}" y="{line}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{line + 11}">{html.escape(whose)}</text>')
    return parts, y + 50


def draw(result):
    name, regime = next(iter(result["regimes"].items()))
    where = "one processor" if name == "pinned" else "two processors"
    parts, y = draw_legend(40)
    present = {row["operation"] for row in regime["peers"]}
    for operation in OURS:
        if operation in present:
            group, y = draw_group(regime, operation, y)
            parts += group
    title = f'<text x="20" y="24" font-size="16">Time of one operation, {where}, logarithmic (less is better)</text>'
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 {y}" font-family="sans-serif" font-size="12">'
            f'<rect width="1000" height="{y}" fill="white"/>')
    return "\n".join([head, title, *parts, "</svg>"]) + "\n"
