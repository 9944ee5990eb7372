"""What must not be overlooked, in red on stderr; one line each, whatever the width."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from autodc.cli.terminal import talk


def tell(alarms: Iterable[str], console: Console | None = None) -> None:
    """Print alarms in red."""
    out = console or talk()
    for words in alarms:
        out.print(Text(words, style="bold red"), soft_wrap=True)
