"""`command`: a program in any language that makes rows: a simulator, a renderer. It is told by JSON, answers by npz."""

from __future__ import annotations

import json
import signal
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from pydantic import Field, JsonValue, field_validator

from autodc.adapters.trainers.command import program, run_program
from autodc.adapters.trainers.predictions import last_lines
from autodc.adapters.trainers.templates import TemplateError, filled, names_in
from autodc.errors import AutodcError
from autodc.studyfile.values import Spec
from autodc.trial.call import CallError

PLACEHOLDERS = ("parameters", "rows", "seed", "out")
ANSWER = "rows.npz"


class CommandOptions(Spec):
    """Options of `command`."""

    argv: tuple[str, ...] = Field(
        min_length=1,
        description="the program and its arguments, with {parameters}, a JSON file of their values; {rows}, how many; "
        "{seed}; {out}, the npz file to write: x, y and one array a metadata column",
    )
    parameters: dict[str, dict[str, JsonValue]] = Field(
        default={}, description="name: {type, low, high, log, step, choices}, as in a search space"
    )

    @field_validator("argv")
    @classmethod
    def _tells_all(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        try:
            named = {name for element in argv[1:] for name in names_in(element)}
        except TemplateError as error:
            raise ValueError(f"a brace is no placeholder: {error}") from None
        if strange := named - {*PLACEHOLDERS}:
            raise ValueError(f"nothing is called {{{min(strange)}}}; placeholders: {', '.join(PLACEHOLDERS)}")
        if missing := [name for name in ("rows", "seed", "out") if name not in named]:
            raise ValueError(f"no argument holds {', '.join(f'{{{name}}}' for name in missing)}")
        return argv


@final
@dataclass(frozen=True, slots=True)
class CommandGenerator:
    """Runs the program once a batch, without a shell, in the folder of the study file."""

    options: CommandOptions
    folder: str
    scratch: str | None = None
    """Where it and the program lay files meanwhile; None: where temporary files lie. What ends it leaves them there."""

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """As the options say."""
        return self.options.parameters

    def generate(self, parameters: Mapping[str, Any], rows: int, seed: int) -> tuple[Any, Any, dict[str, Any]]:
        """Run it and read what it wrote. Raises CallError ADC-PROP-015, 016."""
        with tempfile.TemporaryDirectory(prefix="autodc-generate-", dir=self.scratch) as name:
            out = Path(name)
            (out / "parameters.json").write_text(json.dumps(dict(parameters)), encoding="utf-8")
            values = {"parameters": str(out / "parameters.json"), "rows": rows, "seed": seed, "out": str(out / ANSWER)}
            argv = filled(program(self.options.argv), values)
            try:
                code = run_program(argv, self.folder, out)
            except AutodcError as error:
                raise CallError("ADC-PROP-015", error.problem, "options.argv", error.got, error.hint) from None
            if code:
                ended = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
                got = f"{self.options.argv[0]}: {ended}"
                raise CallError("ADC-PROP-015", "the program failed", "options.argv", got, last_lines(out))
            return _read(out / ANSWER, "options.argv")


def _read(path: Path, name: str) -> tuple[Any, Any, dict[str, Any]]:
    problem, hint = "the program wrote no rows", "write {out} as numpy.savez(out, x=…, y=…, column=…) does"
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {key: found[key] for key in found.files}
        return arrays.pop("x"), arrays.pop("y"), arrays
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CallError("ADC-PROP-016", problem, name, f"{type(error).__name__} for {path.name}", hint) from None
    except KeyError as error:
        raise CallError("ADC-PROP-016", problem, name, f"no array {error} in {path.name}", hint) from None
