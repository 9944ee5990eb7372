"""A plan: everything the search decides about one training, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, final

from autodc import fingerprint
from autodc.plan.mixture import Mixture

Stage = Literal["pretrain", "main"]
Value = Any
"""A value of a hyperparameter: text, a number, true, false, None, or a list of these, which in a plan is a tuple, so
that plans can be compared and hashed."""


def thawed(value: Value) -> Value:
    """A value as JSON has it: tuples, at any depth, as lists."""
    return [thawed(one) for one in value] if isinstance(value, tuple) else value


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Mixture × stages × recipe × hyperparameters. Equal plans are equal values, whatever the order they were built in.

    pretrain: the datasets of stage `pretrain` (only under recipe `pretrain_finetune`); all others are `main`.
    """

    mixture: Mixture
    recipe: str = "concat"
    pretrain: tuple[str, ...] = ()
    hyperparameters: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(
        cls,
        weights: Mapping[str, float],
        hyperparameters: Mapping[str, Any],
        recipe: str = "concat",
        pretrain: tuple[str, ...] | frozenset[str] = (),
    ) -> Plan:
        """Build a plan; datasets that are not in the mixture lose their stage."""
        mixture = Mixture.of(weights)
        staged = tuple(sorted({*pretrain} & {*mixture.added})) if recipe == "pretrain_finetune" else ()
        return cls(
            mixture=mixture,
            recipe=recipe,
            pretrain=staged,
            hyperparameters=tuple([(name, _frozen(hyperparameters[name])) for name in sorted(hyperparameters)]),
        )

    def stage(self, name: str) -> Stage:
        """When a dataset is trained on."""
        return "pretrain" if name in self.pretrain else "main"

    @property
    def settings(self) -> dict[str, Any]:
        """The hyperparameters as a trainer and JSON have them: lists are lists."""
        return {name: thawed(value) for name, value in self.hyperparameters}

    @property
    def stages(self) -> dict[str, Stage]:
        """Stage of every dataset beside the base."""
        return {name: self.stage(name) for name in self.mixture.added}

    def without(self, *names: str) -> Plan:
        """The same plan with these datasets left out."""
        mixture = self.mixture.without(*names)
        return replace(self, mixture=mixture, pretrain=tuple(n for n in self.pretrain if n in mixture))

    def to_dict(self) -> dict[str, Any]:
        """JSON form, in the words of result.json."""
        return {
            "mixture": self.mixture.to_dict(),
            "stages": self.stages,
            "recipe": self.recipe,
            "hyperparameters": self.settings,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Plan:
        """Read back `to_dict`."""
        pretrain = tuple([name for name, stage in value["stages"].items() if stage == "pretrain"])
        return cls.of(value["mixture"], value["hyperparameters"], value["recipe"], pretrain)

    def fingerprint(self) -> str:
        """Identity of the plan."""
        return fingerprint.of(self.to_dict(), kind="plan")


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, (list, tuple)) else value
