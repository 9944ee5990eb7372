"""The argv of the trainer `command` as a template: what its placeholders stand for, and how a job fills them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

PLACEHOLDERS: Final[Mapping[str, str]] = {
    "job": "the job, a JSON file that holds all of this",
    "train": "a JSON file: the list of `{name, path, format, weight, stage, tags}`, one for each dataset to train on",
    "predict": "a JSON file: the list of `{name, path, format}`, one for each set of rows to predict",
    "out": "the folder to write into: `predictions-<name>.npz` or `.jsonl`, one for each set",
    "model": "`out/model`, the folder for the model",
    "warm_start": "the model folder to go on from; absent where there is none",
    "seed": "the seed of the training, a whole number",
    "fidelity": "the share of a full training, above 0, at most 1",
    "recipe": "`concat`, `pretrain_finetune`, `continue`, or another that `options.recipes` names",
}
"""What a program may be told by an argument, beside every hyperparameter by its name."""

JOB: Final = "{job}"
PREDICT: Final = "{predict}"
LISTS: Final = ("train", "predict", "out")
"""What a program needs that is not given the job: rows to learn from, rows to predict, and where to write."""

_TOKENS = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_FLAG = re.compile(r"--?[A-Za-z][^\s=]*")


@final
class TemplateError(ValueError):
    """A brace of an element neither opens nor closes a placeholder."""


def names_in(element: str) -> tuple[str, ...]:
    """The placeholders of one element, in order. Raises TemplateError for a brace that stands alone."""
    found = []
    for token in _TOKENS.finditer(element):
        if token["name"] is not None:
            found.append(token["name"])
        elif token[0] not in ("{{", "}}"):
            raise TemplateError(f"{token[0]!r} at character {token.start() + 1} stands alone")
    return tuple(found)


def is_program(text: str) -> bool:
    """Whether a text names a program with arguments that tell it what to predict."""
    return JOB in text or PREDICT in text


def filled(argv: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """The arguments of one run.

    An element that names a value which is absent, or is null, goes, and with it the flag right before it (`--lr`): a
    program is told nothing of what a training does not have. argv[0] is the program and no template.
    """
    arguments: list[str] = []
    was_flag = False
    for element in argv[1:]:
        names = names_in(element)
        if any(values.get(name) is None for name in names):
            del arguments[len(arguments) - was_flag :]
            was_flag = False
            continue
        arguments.append(_TOKENS.sub(lambda token: _filled(token, values), element))
        was_flag = not names and _FLAG.fullmatch(element) is not None
    return [argv[0], *arguments]


def as_text(value: Any) -> str:
    """A value as a program reads it: text as it is, numbers to the last digit, true, false, lists as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _filled(token: re.Match[str], values: Mapping[str, Any]) -> str:
    return token[0][0] if token["name"] is None else as_text(values[token["name"]])
