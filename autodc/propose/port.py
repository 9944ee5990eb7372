"""The proposer port: who says what a study might train on next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from autodc.data.admit import Candidate


class Proposer(Protocol):
    """Proposes datasets. Each goes through the door (`data/admit.py`) before it may be trained on."""

    def propose(self, finding: str | None, budget: float, seed: int) -> Sequence[Candidate]:
        """Propose datasets: the same arguments, the same datasets.

        finding: what they are to mend, None where nothing is known yet; budget: the most they may cost together.
        """
        ...
