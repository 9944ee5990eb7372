"""What `init` found, wrote, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.cli.streams import echo


def show_init(made: Mapping[str, Any]) -> None:
    """A line for each thing found, then the next commands."""
    for line in made["said"]:
        if line:
            echo(f"{line[0].upper()}{line[1:]}.")
    echo(f"wrote {made['study']}\nnow run: {made['next'][0]}")
    for command in made["next"][1:]:
        echo(f"         {command}")
