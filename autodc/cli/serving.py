"""The verb that shows a study while it runs, in a browser."""

from __future__ import annotations

import threading

import click

from autodc.cli.options import FOLDER
from autodc.cli.streams import echo


@click.command()
@FOLDER
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Left out: any that is free.")
@click.option("--host", default="127.0.0.1", help="The address to listen on. Left out: this machine alone.")
def serve(folder: str, port: int, host: str) -> int:
    """Show a study in a browser, also while it runs; who has the address with its token may look."""
    from autodc.adapters.web import is_loopback
    from autodc.verbs.serve import serving

    if not is_loopback(host):
        echo(
            f"warning: {host} may be reached from other machines. Whoever has the address with its token can read the "
            "study, and nothing is encrypted on the way; `ssh -L` to this machine does without --host",
            err=True,
        )
    try:
        with serving(folder, host, port) as url:
            echo(url)
            echo("Ctrl-C ends it; the study runs on", err=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        echo("no longer served", err=True)
    return 0
