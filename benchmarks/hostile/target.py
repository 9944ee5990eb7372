"""What a kind of hostile input is tried on, and what counts as right."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from autodc.errors import AutodcError, InputError, SurroundingsError, each_of

TAKEN = "taken"
LONGEST = 40_000
"""Characters of a message: twenty problems are told one by one."""
CODE = re.compile(r"\[ADC-[A-Z0-9-]+\]")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One kind of hostile input."""

    name: str
    cases: SearchStrategy[Any]
    check: Callable[[Any, Path], str]
    """A case and an empty folder → `taken`, or the code it was refused with. Raises whatever is not right."""
    share: int
    """Of 100 cases of the full run."""


def outcome(act: Callable[[], object]) -> str:
    """Do something with hostile input: the code of its refusal, or `taken`. All else that is raised is a defect."""
    try:
        act()
    except (InputError, SurroundingsError) as error:
        readable(error)
        return error.code
    return TAKEN


def readable(error: AutodcError) -> None:
    """Every problem has a code and words, and nothing that a terminal would obey."""
    for problem in each_of(error):
        assert problem.problem
        assert CODE.search(str(problem)), str(problem)
    said = str(error)
    assert not CONTROL.search(said), repr(said)
    assert len(said) < LONGEST, len(said)


def tried(target: Target, count: int, first: int | None = 0) -> Counter[str]:
    """Try so many cases; how often each outcome was met.

    first: the seed. Raises what the smallest case that is not right raised; Hypothesis shows the case.
    """
    found: Counter[str] = Counter()
    root = Path(tempfile.mkdtemp(prefix="hostile-"))

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        print_blob=False,
    )
    @given(case=target.cases)
    def one(case: Any) -> None:
        folder = root / "case"
        folder.mkdir()
        try:
            found[target.check(case, folder)] += 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    try:
        seed(first)(one)()
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return found
