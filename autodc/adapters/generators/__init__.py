"""Generators of ours, by the names that a study file uses."""

from autodc.adapters.generators.registry import BUILT_IN, generator_of, generator_problem, looking, parameters_of

__all__ = ["BUILT_IN", "generator_of", "generator_problem", "looking", "parameters_of"]
