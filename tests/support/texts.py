"""Texts near the largest size that is read, one of each kind that could be slow."""

from __future__ import annotations

from simlib.scenario.yaml_text import MOST_BYTES

SMALL = """simlib: 1
name: small
context_of_use: A test.
start: 2025-01-01
end: 2025-12-31
places: {}
"""
WITHIN = MOST_BYTES - 200
PLACES = SMALL.replace("{}", "") + "".join(f"  P{i}: {{country: A}}\n" for i in range(12_000))
FINE = {"places", "neighbors", "parameters", "expressions", "milestones", "comment", "lines"}
"""The kinds that are scenarios; all others are refused."""
LARGE = {
    "keys": SMALL + "".join(f"k{i}: 1\n" for i in range(WITHIN // 10)),
    "unknown keys, few enough": SMALL + "".join(f"key_{i}_{'x' * 9}: 1\n" for i in range(40_000)),
    "flow": SMALL + "a: [" + "1," * (WITHIN // 2) + "]\n",
    "places": PLACES,
    "bad places": SMALL.replace("{}", "") + "".join(f"  P{i}: {{k: 1}}\n" for i in range(12_000)),
    "too many places": SMALL.replace("{}", "")
    + "".join(f"  P{i}: {{k: 1}}\n" for i in range(48_000)),
    "neighbors": SMALL.replace("{}", "")
    + "".join(f"  P{i}: {{}}\n" for i in range(5_000))
    + "neighbors:\n"
    + "".join(f"  - [P{i}, P{i + 1}]\n" for i in range(4_900)),
    "milestones": SMALL
    + "timeline:\n  m0: {date: 2025-02-02}\n"
    + "".join(f"  m{i}: {{date: 2025-02-02, conditional_on: m{i - 1}}}\n" for i in range(1, 8_000)),
    "types": SMALL.replace("{}", "{A: {}}")
    + "incidents:\n"
    + "".join(
        f"  t{i}: {{groups: {{g: {{target: a, level: {{A: 1}}}}}}, "
        f"excites: [{{type: t{i // 2}, ratio: 0.5, decay_days: 1}}]}}\n"
        for i in range(2_200)
    ),
    "factors": SMALL.replace("{}", "")
    + "".join(f"  P{i}: {{}}\n" for i in range(5_000))
    + "state:\n"
    + "".join(f"  v{i}: {{unit: a, over: governorate}}\n" for i in range(2_000))
    + "incidents:\n  t:\n    groups:\n      g:\n        target: a\n        level:\n"
    + "".join(f"          P{i}: 1\n" for i in range(5_000))
    + "        factors:\n"
    + "".join(f"          f{i}: {{value: v{i}}}\n" for i in range(2_000)),
    "outcomes": SMALL.replace("{}", "{A: {}}")
    + "incidents:\n"
    + "".join(f"  t{i}: {{groups: {{g: {{target: a{i}, level: {{}}}}}}}}\n" for i in range(300))
    + "outcomes:\n"
    + "".join(f"  o{i}: {{count: t{i % 300}, target: b, in: C}}\n" for i in range(5_000)),
    "parameters": SMALL
    + "parameters:\n"
    + "".join(f"  p{i}: {{value: 1, unit: a, judgement: b}}\n" for i in range(6_000)),
    "expressions": SMALL
    + "parameters:\n  p0: {value: 1, unit: a, judgement: b}\n"
    + "".join(
        f"  p{i}: {{expression: p{i - 1} * 1, unit: a, judgement: b}}\n" for i in range(1, 6_000)
    ),
    "undefined": SMALL
    + "neighbors:\n"
    + "".join(f"  - [Pxxx{i}, Pyyy{i}]\n" for i in range(30_000)),
    "comment": SMALL + "#" * WITHIN,
    "text": SMALL + "note: '" + "x" * WITHIN + "'\n",
    "spaces": SMALL + "note: x" + " " * WITHIN + "y\n",
    "lines": SMALL + "\n" * WITHIN,
    "digits": SMALL + "replications: " + "9" * WITHIN + "\n",
    "decimals": SMALL + "replications: 0." + "9" * WITHIN + "\n",
    "commas": SMALL + "replications: " + "1," * (WITHIN // 2) + "\n",
    "colons": SMALL + "replications: " + "1:" * (WITHIN // 2) + "1\n",
    "brackets": SMALL + "a: " + "[" * WITHIN + "\n",
    "braces": SMALL + "a: " + "{" * WITHIN + "\n",
    "questions": SMALL + "? " * (WITHIN // 2) + "\n",
    "dashes": SMALL + "a:\n " + "- " * (WITHIN // 2) + "\n",
    "quotes": SMALL + "a: " + '"' * WITHIN + "\n",
    "anchors": SMALL + "".join(f"a{i}: &a{i} x\n" for i in range(50_000)),
    "aliases": SMALL + "a: &a x\nb: [" + "*a," * (WITHIN // 3) + "]\n",
    "tags": SMALL + "a: [" + "!t x," * (WITHIN // 5) + "]\n",
    "documents": SMALL + "---\n" * (WITHIN // 4),
    "name": SMALL.replace("name: small", "name: " + "x" * WITHIN),
}
