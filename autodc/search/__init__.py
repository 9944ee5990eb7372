"""Search: plans, the cube they live in, engines that suggest and recommend. Light to import."""

from typing import TYPE_CHECKING, Any

from autodc.plan.plan import Plan, Stage, Value
from autodc.search.engine import FrontPoint, Observation, Recommendation, SearchEngine, SearchProblem, Suggestion
from autodc.search.factory import make_engine

if TYPE_CHECKING:
    from autodc.search.sampler import MixtureSampler

__all__ = [
    "FrontPoint",
    "MixtureSampler",
    "Observation",
    "Plan",
    "Recommendation",
    "SearchEngine",
    "SearchProblem",
    "Stage",
    "Suggestion",
    "Value",
    "make_engine",
]


def __getattr__(name: str) -> Any:
    if name == "MixtureSampler":
        from autodc.search.sampler import MixtureSampler

        return MixtureSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
