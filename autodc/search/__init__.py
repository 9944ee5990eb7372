"""Search: plans, the cube they live in, engines that suggest and recommend. Light to import."""

from autodc.search.engine import Observation, Recommendation, SearchEngine, SearchProblem, Suggestion
from autodc.search.factory import make_engine
from autodc.search.plan import Plan, Stage, Value

__all__ = [
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
