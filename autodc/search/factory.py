"""A sampler's name → its engine. Optuna is imported only where one of its samplers is asked for."""

from __future__ import annotations

import difflib

from autodc.errors import SpecError
from autodc.search.engine import SearchEngine, SearchProblem

OURS = ("mixture", "random")


def make_engine(sampler: str, problem: SearchProblem, seed: int) -> SearchEngine:
    """Return the engine: `mixture`, `random`, or any Optuna sampler by its class name.

    Raises SpecError ADC-SRCH-001 for a name nobody knows.
    """
    if sampler == "mixture":
        from autodc.search.mixture_engine import MixtureEngine

        return MixtureEngine(problem, seed)
    if sampler == "random":
        from autodc.search.random_engine import RandomEngine

        return RandomEngine(problem, seed)
    from autodc.search.optuna_engine import OptunaEngine, sampler_names

    if sampler not in sampler_names():
        raise _unknown(sampler, sampler_names())
    return OptunaEngine(sampler, problem, seed)


def _unknown(sampler: str, known: tuple[str, ...]) -> SpecError:
    names = (*OURS, *known)
    lowered = {name.lower(): name for name in names}
    close = difflib.get_close_matches(sampler.lower(), lowered, n=1)
    hint = f"did you mean {lowered[close[0]]}?" if close else f"one of {', '.join(names)}"
    return SpecError("ADC-SRCH-001", "no sampler of this name", "search.sampler", sampler, hint)
