"""What one look came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, final

Verdict = Literal["ok", "warn", "fail"]
"""warn: the night runs, but slower or less safely than it could; fail: it will not run."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line for a person: what was looked at, what was found, and how to mend it where it is not well."""

    name: str
    status: Verdict = "ok"
    found: str
    mend: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The check as `--json` prints it."""
        return asdict(self)


def size(count: float) -> str:
    """Bytes as a person says them."""
    for unit, one in (("TiB", 2**40), ("GiB", 2**30)):
        if count >= one:
            return f"{count / one:.1f} {unit}"
    return f"{count / 2**20:.0f} MiB"
