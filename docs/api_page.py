"""The page of the Python calls, from signatures and docstrings: what stands there is what the code says."""

from __future__ import annotations

import ast
import inspect
import textwrap
from importlib import import_module
from typing import Any

import autodc

FURTHER = ("autodc.search.MixtureSampler", "autodc.program.Job")
"""What is public and no name of the package itself."""


def page() -> str:
    """Every public name, in the order of the alphabet: calls first, then classes."""
    found = {name: getattr(autodc, name) for name in autodc.__all__}
    for path in FURTHER:
        module, _, name = path.rpartition(".")
        found[path] = getattr(import_module(module), name)
    calls = {n: o for n, o in found.items() if not inspect.isclass(o)}
    classes = {n: o for n, o in found.items() if inspect.isclass(o)}
    parts = ["## Calls\n", *(_call(_named(n), o, "###") for n, o in sorted(calls.items()))]
    parts += [
        "## Classes\n",
        *(_class(_named(n), o) for n, o in sorted(classes.items(), key=lambda one: _named(one[0]))),
    ]
    return "\n".join(parts)


def _named(name: str) -> str:
    return name if "." in name else f"autodc.{name}"


def _call(name: str, called: Any, level: str) -> str:
    return f"{level} `{name}`\n\n```python\n{_signature(name.rpartition('.')[2], called)}\n```\n\n{_words(called)}\n"


def _signature(name: str, called: Any) -> str:
    """As it is called, wrapped where it is long; without `self`."""
    signature = inspect.signature(called)
    given = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    parts: list[str] = []
    for at, one in enumerate(given):
        if one.kind is one.KEYWORD_ONLY and (
            not at or given[at - 1].kind not in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        ):
            parts.append("*")
        parts.append(_parameter(one))
    back = "" if signature.return_annotation is signature.empty else f" -> {signature.return_annotation}"
    line = f"{name}({', '.join(parts)}){back}"
    if len(line) <= 100:
        return line
    return f"{name}(\n" + "".join(f"    {one},\n" for one in parts) + f"){back}"


def _parameter(one: inspect.Parameter) -> str:
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    kind = "" if one.annotation is one.empty else f": {one.annotation}"
    default = "..." if inspect.isfunction(one.default) else repr(one.default)
    return f"{stars}{one.name}{kind}" + ("" if one.default is one.empty else f" = {default}")


def _class(name: str, kind: type) -> str:
    fields = _fields(kind)
    parts = [f"### `{name}`\n", _words(kind), ""]
    if fields:
        parts += ["| field | is |", "| --- | --- |", *(f"| `{n}` | {_cell(text)} |" for n, text in fields.items()), ""]
    for member, value in _members(kind):
        if isinstance(value, property):
            parts.append(f"- `{member}`: {_flat(inspect.getdoc(value) or '')}")
    parts.append("")
    for member, value in _members(kind):
        called = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if inspect.isfunction(called):
            parts.append(_call(f"{name.rpartition('.')[2]}.{member}", called, "####"))
    return "\n".join(parts)


def _members(kind: type) -> list[tuple[str, Any]]:
    """What the class itself has, and is no inside."""
    return [(n, v) for n, v in vars(kind).items() if not n.startswith("_") and n not in _ignored(kind)]


def _ignored(kind: type) -> set[str]:
    return {"model_config", "model_post_init"} if hasattr(kind, "model_fields") else set()


def _fields(kind: type) -> dict[str, str]:
    """Fields of a record with the docstring under them; of a spec with their description."""
    if hasattr(kind, "model_fields"):
        return {name: f"{field.description or _of_kind(field.annotation)}" for name, field in kind.model_fields.items()}
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    waiting: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = ast.unparse(node.annotation)
            waiting.append(node.target.id)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and waiting:
            found[waiting[-1]] += f": {_flat(str(node.value.value))}"
            waiting = []
    return {name: text for name, text in found.items() if not name.startswith("_")}


def _of_kind(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation))


def _words(thing: Any) -> str:
    """The docstring, one paragraph a line; what is indented in it is code."""
    parts = (inspect.getdoc(thing) or "").split("\n\n")
    return "\n\n".join(f"```python\n{textwrap.dedent(p)}\n```" if p.startswith("    ") else _flat(p) for p in parts)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
