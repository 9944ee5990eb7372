"""Study and machine files, and `--set`: trees with any value anywhere, bombs, and slips of the keyboard."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from autodc.studyfile import load, load_machine
from autodc.studyfile.load import draft
from autodc.testing.worlds.cells import study_tree
from benchmarks.hostile.target import TAKEN, outcome
from benchmarks.hostile.texts import hostile

MACHINE = {"runner": "inline", "max_concurrent": 2, "memory_per_trial": "1GB", "trial_timeout": "1h", "retries": 1}
STUDY = {
    **study_tree(),
    "attributes": ["table"],
    "loop": {"rounds": 2, "propose": ["given"]},
    "gate": {"looks": [1, 2], "fdr": 0.1},
}
SLIPS = (
    "<<: *a\n", "&a ", "*a", "!!python/object/apply:os.system [id]", "!!binary aGk=", "!!set {a}", "!!timestamp x",
    "!include /etc/passwd", "!include study.yaml", "!include ../..", "!include x.yaml", "%TAG ! tag:x,2000:\n---\n",
    "---\n",
    "...\n", "? ", "\t", "name: again\n", "{", "}", "[", "]", "|", ">", "#", "@", "`", "'", '"', ": ", "- ",
    "\x00", "\ufeff",
    "\u2028", "\x85", "\r", "~", "=", "\\",
)  # fmt: skip

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def changed(draw: st.DrawFn, tree: dict[str, Any]) -> str:
    """A tree as JSON, of which some nodes are anything, keys are unknown, or the order is another."""
    found = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        parent = draw(st.sampled_from([one for one in _nodes(found) if isinstance(one, dict | list) and one]))
        if isinstance(parent, list):
            parent[draw(st.integers(0, len(parent) - 1))] = draw(values)
        elif draw(st.booleans()):
            parent[draw(st.sampled_from(sorted(parent, key=str)))] = draw(values)
        else:
            parent[draw(hostile)] = draw(values)
    return json.dumps(found)


@st.composite
def spliced(draw: st.DrawFn, tree: dict[str, Any]) -> str:
    """A tree as lines, into which something is written and of which something is missing."""
    text = json.dumps(tree, indent=1).replace('"', "") if draw(st.booleans()) else json.dumps(tree)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(SLIPS) | hostile) + text[at + draw(st.integers(0, 8)) :]
    return text


@st.composite
def bombs(draw: st.DrawFn) -> str:
    """What is short and unfolds to much."""
    deep, wide = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    aliases = "".join(f"k{i}: &k{i} [{', '.join([f'*k{i - 1}' if i else 'x'] * wide)}]\n" for i in range(deep))
    merges = "k0: &k0 {x: 1}\n" + "".join(
        f"k{i}: &k{i} {{<<: [{', '.join([f'*k{i - 1}'] * wide)}], y{i}: 1}}\n" for i in range(1, deep)
    )
    many = draw(st.integers(1, 3000))
    return draw(
        st.sampled_from(
            (
                aliases, merges, "a: &a [*a]\n", "[" * many, "{a: " * many, "- " * many, "a:\n" + " " * many + "b",
                "".join(f"{' ' * i}k:\n" for i in range(min(many, 600))), f"{'a' * many * 40}: 1\n",
                "x: " + "1" * many * 3,
                "? " * many, "!!a " * many, "&a " * many, "'" * many, "x: |\n" + " a\n" * many, "\n" * many, "#" * many,
            )
        )
    )  # fmt: skip


texts = changed(STUDY) | spliced(STUDY) | bombs()
machines = changed(MACHINE) | spliced(MACHINE) | bombs()
settings = st.builds(
    "{}={}".format, st.sampled_from(("seed", "data.base.source", "slices[0].name", "a.b")) | hostile, hostile
)


def check_study(case: str, folder: Path) -> str:
    """It is a study that can be read again, or its problems are told, and the same by who looks as far as it goes."""
    file = _written(folder, case)
    found = outcome(lambda: load(file))
    if found != TAKEN:
        outcome(lambda: draft(file))
    return found


def check_machine(case: str, folder: Path) -> str:
    """A machine file or its problems."""
    file = _written(folder, case)
    return outcome(lambda: load_machine(file))


def check_setting(case: str, folder: Path) -> str:
    """`--set` is taken or refused."""
    file = _written(folder, json.dumps(STUDY))
    return outcome(lambda: load(file, [case]))


def _written(folder: Path, text: str) -> Path:
    file = folder / "study.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    return file


def _nodes(value: Any) -> list[Any]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(node for child in below for node in _nodes(child))]
