"""What people are asked for in a round: told one by one, after all that can be made for its findings is proposed."""

from __future__ import annotations

from collections.abc import Collection

from autodc.study.journal import events as ev
from autodc.study.rules import requests
from autodc.study.view import View


def next_event(view: View, proposed: Collection[str] = ()) -> ev.RequestMade | None:
    """The next request of the round; None where all are made. proposed: findings for which something is made."""
    return next(iter(requests.due(view, proposed)), None)
