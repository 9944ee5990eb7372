"""Enrichers of ours, by the names that a study file uses."""

from autodc.adapters.enrichers.registry import built_in, fitting, measures
from autodc.adapters.enrichers.spaces import embeddings_of, in_one_spread

__all__ = ["built_in", "embeddings_of", "fitting", "in_one_spread", "measures"]
