"""The frame around the report of a study that is served: a line that says where it is, and the page, kept fresh."""

from __future__ import annotations

from functools import cache
from importlib import resources

from autodc.report.page import environment

SHELL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the frame may do."""
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""What the page in it may do: it has no scripts."""
SCRIPT, STYLE = "live.js", "live.css"


def shell(study: str) -> str:
    """The frame as HTML."""
    return environment().get_template("live.html.j2").render(study=study, script=SCRIPT, style=STYLE)


@cache
def asset(name: str) -> bytes:
    """Its script or style."""
    return (resources.files("autodc.report") / "templates" / name).read_bytes()
