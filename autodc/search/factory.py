"""A sampler's name → its engine. Optuna is imported only where one of its samplers is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from autodc.errors import SpecError
from autodc.hints import suggest
from autodc.plugins import FORMS, SAMPLERS, installed, is_known, load_plugin, own_code
from autodc.search.engine import SearchEngine, SearchProblem
from autodc.studyfile import names

PLACE = "search.sampler"
PARTS = ("suggest", "recommend", "front", "outlook", "settle", "beliefs", "guard_beliefs")
"""What an engine of the user's own has to have."""


def make_engine(sampler: str, problem: SearchProblem, seed: int, folder: str = ".") -> SearchEngine:
    """Return the engine: `mixture`, `random`, any Optuna sampler by its class name, or one of the user's own.

    One of the user's own is called with the problem and the seed and is an engine then; its file is relative to
    `folder`. Raises SpecError ADC-SRCH-001 for a name nobody knows, 060 where the user's own is no engine.
    """
    if sampler == "mixture":
        from autodc.search.mixture_engine import MixtureEngine

        return MixtureEngine(problem, seed)
    if sampler == "random":
        from autodc.search.random_engine import RandomEngine

        return RandomEngine(problem, seed)
    if is_known(sampler, (), SAMPLERS):
        return _own(sampler, problem, seed, folder)
    from autodc.search.optuna_engine import OptunaEngine, sampler_names

    if sampler not in sampler_names():
        known = [*names.SAMPLERS, *sampler_names(), *installed(SAMPLERS)]
        hint = suggest(sampler, known, "samplers", names.SYNONYMS, FORMS)
        raise SpecError("ADC-SRCH-001", "no sampler of this name", PLACE, sampler, hint)
    return OptunaEngine(sampler, problem, seed)


def _own(name: str, problem: SearchProblem, seed: int, folder: str) -> SearchEngine:
    found = load_plugin(name, SAMPLERS, folder, PLACE)
    with own_code(_unfit(name), folder):
        engine = found(problem, seed)
        missing = [part for part in PARTS if not hasattr(engine, part)]
    if missing:
        raise _unfit(name)(f"what it gives has no `{'`, no `'.join(missing)}`")
    return cast(SearchEngine, engine)


def _unfit(name: str) -> Callable[[str], SpecError]:
    hint = "a class or function called with the problem and the seed; autodc.testing.sampler_contract holds it to all"
    return lambda got: SpecError("ADC-SRCH-060", f"{name} makes no search engine", PLACE, got, hint)
