"""The sweep: candidates that no challenger decided, wave by wave; then what was kept in another context, by removal.

A wave compares all of them against one incumbent, on the same pairs. Its best passer advances; the other passers are
compared again, with the incumbent that it makes and on fresh seeds, as new comparisons of the ledger (DESIGN §11.7).
"""

from __future__ import annotations

from autodc.gate.reasons import TOO_GOOD
from autodc.gate.waves import best_passer
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.rules import failing
from autodc.study.rules.pairs import pays
from autodc.study.view import View


def wave(state: State) -> list[ComparisonState]:
    """Datasets that were tested alone against the incumbent as it is now."""
    here = (state.round, state.generation)
    return [t for t in state.comparisons if t.purpose == "addition" and (t.round, t.generation) == here]


def waiting(view: View) -> list[str]:
    """Candidates this wave has not tested: without a decision, or with a keep that has not brought them in.

    The most promising first. A dropped or undecided one is not tested again, but for one that looked like a leak and
    is trusted since. What a round has weighed together with others is not asked here.
    """
    spec, state = view.spec, view.state
    effects = state.challengers[-1].effects if state.challengers else {}
    trusted = {n for n in spec.gate.trust if (last := state.decided(n)) is not None and TOO_GOOD in last.reasons}
    weighed = {name for one in state.proposals for name in one.proposal["beliefs"]}
    asked = {t.subject for t in wave(state)} | weighed
    out = {*state.kept, *(asked - trusted), *failing.out(view)}
    names = pays(view, [n for n in state.candidates if n not in out])
    still_open = [n for n in names if n in trusted or (last := state.decided(n)) is None or last.verdict == "keep"]
    return sorted(still_open, key=lambda n: -float(effects.get(n, {}).get("gain", 0.0)))


def winner(view: View) -> ComparisonState | None:
    """The best passer of the wave, or None where nothing passed."""
    keeps = {t.subject: t for t in wave(view.state) if t.verdict == "keep"}
    passed = {name: keeps[name] for name in pays(view, keeps)}
    if not passed:
        return None
    return passed[best_passer({name: t.typed_looks[-1] for name, t in passed.items()})]


def out_of_context(state: State) -> list[str]:
    """Kept datasets whose last comparison did not know all that is kept now: perhaps needed no more. Oldest first."""
    kept = set(state.kept)
    last = {name: state.decided(name) for name in state.kept}
    stale = [(t.id, name) for name, t in last.items() if t is not None and kept - set(t.challenger.mixture.added)]
    return [name for _, name in sorted(stale)]


def removed(state: State) -> ComparisonState | None:
    """The last comparison, where it took a kept dataset out of the incumbent itself and showed it useless, or None."""
    last = state.comparisons[-1] if state.comparisons else None
    if last is None or last.purpose != "removal" or last.verdict != "drop" or last.challenger != state.incumbent:
        return None
    return last
