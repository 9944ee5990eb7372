"""Which keyword arguments a LightningModule takes: read from its text before a study, by its signature in one."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from autodc.errors import SpecError
from autodc.hints import suggest

PLACE = "task.options.module"
OFFERED = ("n_classes", "n_outputs", "input_shape", "n_columns", "n_categories")
"""What a module is told of the data where it has parameters of these names."""


@final
@dataclass(frozen=True, slots=True)
class Takes:
    """The keyword arguments of a class or a function."""

    names: tuple[str, ...]
    needed: tuple[str, ...]
    """Those without a default."""
    anything: bool
    """Whether it has `**kwargs`."""


def by_signature(found: Any) -> Takes:
    """The arguments of a class or a function that is there."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(found).parameters.values()
    named = [p for p in parameters if p.kind in kinds]
    needed = tuple(p.name for p in named if p.default is inspect.Parameter.empty)
    return Takes(tuple(p.name for p in named), needed, any(p.kind is p.VAR_KEYWORD for p in parameters))


def by_text(name: str, folder: str) -> Takes | None:
    """The arguments of an object by the text of its file, which is not imported; None where that does not tell them."""
    where, _, attribute = name.rpartition(":")
    try:
        if where.endswith(".py"):
            source = (Path(folder) / where).read_bytes()
        else:
            spec = importlib.util.find_spec(where)
            if spec is None or not spec.origin or not spec.origin.endswith(".py"):
                return None
            source = Path(spec.origin).read_bytes()
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, ImportError):
        return None
    defined = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    return _of(defined.get(attribute), defined)


def check_arguments(takes: Takes, given: Mapping[str, str], given_anyway: tuple[str, ...] = OFFERED) -> list[SpecError]:
    """What is given and not taken, and what is needed and not given. given: argument → where it stands."""
    problems = []
    for name, place in given.items():
        if name not in takes.names and not takes.anything:
            hint = suggest(name, [n for n in takes.names if n not in given_anyway], "parameters of the module")
            text = "the module takes no such hyperparameter"
            problems.append(SpecError("ADC-TRAIN-090", text, place, name, hint))
    lacking = [name for name in takes.needed if name not in given and name not in given_anyway]
    if lacking:
        hint = f"add it to the search space, or fix it: options: {{params: {{{lacking[0]}: ...}}}}"
        text = "the module needs what nothing gives it"
        problems.append(SpecError("ADC-TRAIN-091", text, PLACE, ", ".join(lacking), hint))
    return problems


def _of(node: ast.stmt | None, defined: Mapping[str, ast.stmt]) -> Takes | None:
    """Of a function, or of the constructor of a class, which it may have from one in the same file."""
    if isinstance(node, ast.FunctionDef):
        return _arguments(node, method=False)
    if not isinstance(node, ast.ClassDef):
        return None
    own = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
    if own is not None:
        return _arguments(own, method=True)
    bases = [base for base in node.bases if isinstance(base, ast.Name) and base.id != node.name]
    if len(node.bases) == 1 and ast.unparse(node.bases[0]).rpartition(".")[2] == "LightningModule":
        return Takes((), (), False)
    return _of(defined.get(bases[0].id), defined) if bases else None


def _arguments(node: ast.FunctionDef, method: bool) -> Takes:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)][1 if method else 0 :]
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    names = [a.arg for a in (*positional[1 if method else 0 :], *arguments.kwonlyargs)]
    needed = [*(a.arg for a in required), *(a.arg for a, default in keywords if default is None)]
    return Takes(tuple(names), tuple(needed), arguments.kwarg is not None)
