"""The events of a study, in the order a study lives through them. State is `fold(events)` and nothing else.

Events are values: JSON in, JSON out, with a version. `time` is Unix time, `awake` the seconds that the session has
worked, by a clock that stands still while the machine sleeps; neither ever enters a decision. They hold no
secrets: what came with a password or token, also out of a journal of before, is masked as the event is made.
"""

from autodc.study.journal.events.base import *  # noqa: F403
from autodc.study.journal.events.decisions import *  # noqa: F403
from autodc.study.journal.events.findings import *  # noqa: F403
from autodc.study.journal.events.proposals import *  # noqa: F403
from autodc.study.journal.events.question import *  # noqa: F403
from autodc.study.journal.events.requests import *  # noqa: F403
from autodc.study.journal.events.work import *  # noqa: F403
