"""Candidate datasets: those that the study file gives, and those that are made for what the incumbent fails at."""

from autodc.propose.given import Given
from autodc.propose.port import Proposer

__all__ = ["Given", "Proposer"]
