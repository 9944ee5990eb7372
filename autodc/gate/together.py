"""Evidence together: which comparisons a round makes, in which order, and what their answers mean (DESIGN §11.7).

Datasets that each help a little, or stand in for one another, cannot be told apart one by one. So the whole is compared
first, with what anybody would do; only when it is shown better is anything below asked. Members that can be shown alone
are decided alone, what may leave without a loss leaves, the rest is one block.

`round_of` is a generator: it yields questions and is sent their answers. It holds nothing else, so the state of a round
is the answers so far, and the same answers give the same questions (docs/decisions/evidence-together.md).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace

from autodc.gate.questions import Answer, Arm, Belief, Proposal, Question, Settled
from autodc.gate.thresholds import SURE

SHOWN_ALONE = 1.5
"""Believed gains of so many standard deviations are asked alone."""

FEWEST_ALONE = 4
"""So many members may be asked alone, and a third of them where that is more."""

STEPS = 4
"""Comparisons that pruning may take."""

PAIRS = 3
"""Pairs of a comparison that claims nothing: the search's belief speaks beside them."""

ROOM = 0.75
"""What is believed to harm a guard may add up to this share of its margin."""

RETREATS = 2
"""So often what passes but for its guards may give something up."""


SET_APART = {"everything": 2 * PAIRS, "together": 2 * PAIRS, "harm": PAIRS, "removal": PAIRS, "pruning": PAIRS}
"""Purpose → trainings that it leaves to what follows it: what harms must be able to leave a whole again, and what no
question decided alone is asked as a block."""


Round = Generator[Question, Answer, "Arm | None"]
Steps = Generator[Question, Answer, Arm]


def replay(p: Proposal, answers: Sequence[Answer]) -> Question | Settled:
    """Where a round stands after these answers."""
    asked: list[Question] = []
    running = round_of(p)
    try:
        asked.append(next(running))
        for answer in answers:
            asked.append(running.send(answer))
    except StopIteration as over:
        end: Arm | None = over.value
        paid = [i for i, a in enumerate(answers) if a.paid and end in (asked[i].challenger, asked[i].incumbent)]
        return Settled(end=end if paid else None, by=paid[-1] if paid else None)
    return asked[-1]


def round_of(p: Proposal) -> Round:
    """The questions of one round; returns the arm it ends with, None where the incumbent stays."""
    stays = Arm("incumbent", frozenset(p.kept))
    whole, ground = yield from _whole(p)
    if whole is None:
        end = yield from _settings(p)
        if p.open:
            held = yield from _without_harmful(p, stays)
            end, _ = yield from _alone(p, held)
    else:
        held = yield from _without_harmful(p, whole)
        held, alone = yield from _alone(p, held)
        held = yield from _without_controls(p, held, alone)
        held = yield from _pruned(p, held, alone)
        end = yield from _rest(p, held, alone - ground.members, whole, ground)
        end = stays if end == stays else (yield from _weighted(end))
    end = yield from _priced(p, end or stays)
    return None if end == stays else end


def believed(p: Proposal, sure: float) -> tuple[str, ...]:
    """Datasets of everything whose gain is believed above 0, give or take `sure` standard deviations.

    What would break a guard together gives up the member that harms it most until there is room. What others may do for
    it is not counted on: it is the noise of many small beliefs.
    """
    names = [n for n in p.everything if p.beliefs[n].gain + sure * p.beliefs[n].spread > 0]
    for guard, margin in p.margins.items():
        while sum(_harm(p, n, guard) for n in names) > ROOM * margin:
            names.remove(max(names, key=lambda n: (_harm(p, n, guard), n)))
    return tuple(names)


def _harm(p: Proposal, name: str, guard: str) -> float:
    """What a guard is believed to lose by a member; not below 0."""
    return max(0.0, -p.beliefs[name].guards.get(guard, 0.0))


def _whole(p: Proposal) -> Generator[Question, Answer, tuple[Arm | None, Arm]]:
    """a, b: everything, what is not believed to harm, what the search recommends; the first that is shown better."""
    ground = Arm("tuned" if not p.kept else "incumbent", frozenset(p.kept))
    kept = frozenset(p.kept)
    sets = [names for names in dict.fromkeys((p.everything, believed(p, SURE))) if names]
    arms = [(Arm("everything", kept | frozenset(names)), names) for names in sets[p.refused :]]
    if p.recommended:
        arms.append((Arm("recommended", kept | frozenset(p.recommended)), p.recommended))
    first: Answer | None = None
    for arm, names in arms:
        found, answer = yield from _shown(p, arm, ground, names, first=first is None)
        first = first or answer
        if found is not None:
            return found, ground
    if p.doubt and first is not None and first.ahead and not first.harmed:
        arm = Arm("everything", kept | frozenset(p.everything))
        answer = yield Question(purpose="doubt", challenger=arm, incumbent=ground, members=p.everything)
        return None if answer.over else arm, ground
    return None, ground


def _shown(
    p: Proposal, arm: Arm, ground: Arm, names: tuple[str, ...], first: bool
) -> Generator[Question, Answer, tuple[Arm | None, Answer]]:
    """Whether a whole is shown better; where its guards alone fail it, it gives something up, twice at most."""
    everything = arm.plan == "everything" and names == p.everything
    question = Question(
        purpose="everything" if everything else "together",
        challenger=arm,
        incumbent=ground,
        members=names,
        level="whole" if first else "rest",
        all_rows=everything and p.untouched,
    )
    answer = yield question
    for _ in range(RETREATS):
        if answer.keep or not answer.gained or not answer.guards:
            break
        lesser = _retreat(p, question.challenger, answer.guards)
        if lesser is None or not lesser.members - ground.members:
            return None, answer
        members = tuple(n for n in names if n in lesser.members)
        question = replace(question, challenger=lesser, members=members)
        answer = yield question
    return (question.challenger if answer.keep else None), answer


def _costliest(p: Proposal, names: Iterable[str], guards: tuple[str, ...]) -> str | None:
    """The member of least gain for what it is believed to harm these guards; None where none is."""
    harm = {n: sum(_harm(p, n, g) for g in guards) for n in names if n in p.beliefs}
    harm = {n: h for n, h in harm.items() if h > 0}
    return min(harm, key=lambda n: (max(0.0, p.beliefs[n].gain) / harm[n], n)) if harm else None


def _retreat(p: Proposal, arm: Arm, guards: tuple[str, ...]) -> Arm | None:
    """The arm with the member of least gain for its harm at half its weight, or without it where that was tried.

    A large gain is not given up to a guard before a lower weight is tried.
    """
    name = _costliest(p, arm.members, guards)
    if name is None:
        return None
    if name in arm.halved or p.beliefs[name].sureness < SHOWN_ALONE:
        return arm.without([name])
    return replace(arm, halved=arm.halved | {name})


def _settings(p: Proposal) -> Generator[Question, Answer, Arm | None]:
    """Settings alone are kept where they are shown better."""
    if p.kept or not p.tunes:
        return None
    tuned = Arm("tuned", frozenset())
    answer = yield Question(
        purpose="tuning",
        challenger=tuned,
        incumbent=Arm("incumbent", frozenset()),
        members=(),
        level="member",
    )
    return tuned if answer.keep else None


def _without_harmful(p: Proposal, held: Arm) -> Steps:
    """c: those believed harmful leave where that is ahead in three pairs, the doubtful where 80% sure, or free.

    What is kept since an earlier round does not leave for being free: losses too small to matter would add up. What
    cures a finding does not leave for being ahead.
    """
    if held.plan == "recommended":
        return held
    for sure in (SURE, 0.0):
        gone = tuple(sorted(n for n in _apart(p, held) if p.beliefs[n].gain + sure * p.beliefs[n].spread <= 0))
        if not gone or len(gone) == len(held.members - frozenset(p.kept)):
            continue
        answer = yield Question(purpose="harm", challenger=held.without(gone), incumbent=held, members=gone)
        better = answer.seems_better if p.open else answer.may_leave(p.matters)
        if answer.paid and (answer.ahead and not answer.misses if sure else better):
            held = held.without(gone)
    return held


def _apart(p: Proposal, held: Arm) -> list[str]:
    """Members that no comparison of their own was about: the new ones, and those that came in with others before."""
    return [n for n in held.members if n in p.beliefs and (n in p.open or n not in p.kept)]


def _alone(p: Proposal, held: Arm) -> Generator[Question, Answer, tuple[Arm, frozenset[str]]]:
    """d: members of which much is believed are asked alone, the surest first; what is shown to harm leaves.

    Those too that came in with others in an earlier round: the search knows more of them now.
    """
    apart = _apart(p, held)
    sure = sorted((n for n in apart if p.beliefs[n].sureness > SHOWN_ALONE), key=lambda n: (-p.beliefs[n].sureness, n))
    alone: set[str] = set()
    for name in sure[: max(FEWEST_ALONE, len(apart) // 3)]:
        if held.members - frozenset(p.kept) == {name}:
            continue
        answer = yield Question(
            purpose="removal", challenger=held, incumbent=held.without([name]), members=(name,), level="member"
        )
        if answer.keep:
            alone.add(name)
        elif answer.harmed:
            held = held.without([name])
    return held, frozenset(alone)


def _without_controls(p: Proposal, held: Arm, alone: frozenset[str]) -> Steps:
    """Rows or labels by chance that were not shown alone leave what they came in with, where they are not missed.

    Nothing chose such rows, and nothing can be learned from such labels: beside others a rider is likelier than help,
    so what is not known of them is no reason to keep them.
    """
    gone = tuple(sorted((held.members & frozenset(p.controls)) - alone - frozenset(p.kept)))
    if not gone or not held.members - frozenset(gone) - frozenset(p.kept):
        return held
    answer = yield Question(purpose="pruning", challenger=held.without(gone), incumbent=held, members=gone)
    return held.without(gone) if answer.paid and not answer.is_missed else held


def _pruned(p: Proposal, held: Arm, alone: frozenset[str]) -> Steps:
    """e: the least believed leave together where that costs less than matters; always held against the unpruned."""
    others = sorted(
        held.members - alone - frozenset(p.kept), key=lambda n: (p.beliefs[n].gain if n in p.beliefs else 0.0, n)
    )
    least, most = 0, len(others) if alone or p.kept else len(others) - 1
    for _ in range(STEPS):
        if least >= most:
            break
        count = (least + most + 1) // 2
        gone = tuple(others[:count])
        answer = yield Question(purpose="pruning", challenger=held.without(gone), incumbent=held, members=gone)
        if answer.paid and answer.costs_nothing(p.matters):
            least = count
        else:
            most = count - 1
    return held.without(others[:least])


def _rest(p: Proposal, held: Arm, alone: frozenset[str], whole: Arm, ground: Arm) -> Steps:
    """f: what is left is one block. Beside members that stand alone it has to be shown; else the whole has shown it."""
    rest = tuple(sorted(held.members - alone - ground.members))
    if not rest:
        return held
    if alone:
        bare = held.without(rest)
        for _ in range(1 + RETREATS):
            answer = yield Question(purpose="block", challenger=held, incumbent=bare, members=rest, level="member")
            if answer.keep or answer.backed:
                return held
            worst = _costliest(p, rest, answer.guards)
            if not answer.guards or answer.low <= 0 or worst is None or len(rest) == 1:
                break
            held, rest = held.without([worst]), tuple(n for n in rest if n != worst)
        return bare
    answer = yield Question(purpose="block", challenger=held, incumbent=ground, members=rest)
    if answer.over and held == whole:
        return Arm("incumbent", frozenset(p.kept))
    if held == whole or answer.ahead or answer.keep:
        return held
    members = tuple(sorted(whole.members - ground.members))
    answer = yield Question(purpose="block", challenger=whole, incumbent=ground, members=members)
    return Arm("incumbent", frozenset(p.kept)) if answer.over else whole


def _weighted(held: Arm) -> Steps:
    """Weights and settings that the search recommends for what is kept are taken where gate rows find them better.

    They are the luckiest of its beliefs, so the belief itself says nothing here.
    """
    weighted = Arm("weighted", held.members)
    answer = yield Question(purpose="weights", challenger=weighted, incumbent=held, members=())
    return weighted if answer.paid and answer.seems_better else held


def _priced(p: Proposal, held: Arm) -> Steps:
    """g: what has a price proves itself; what did not alone may do so as one block.

    What is paid already, whatever comes of it, is asked first, the best first of all; then the best for its price. What
    was not shown so is asked at the settings and weights believed best, against the base at its own best.
    """
    purse, open_ones = p.purse, list[str]()
    alone, ahead = set[str](), set[str]()
    hopeful = [n for n in p.priced if p.beliefs[n].gain + SURE * p.beliefs[n].spread > 0]
    for name in sorted(hopeful, key=lambda n: _for_its_price(p.beliefs[n], n)):
        if p.beliefs[name].cost > purse:
            continue
        more = held.added([name])
        answer = yield Question(purpose="addition", challenger=more, incumbent=held, members=(name,), level="member")
        if answer.keep:
            held, purse = more, purse - p.beliefs[name].cost
            alone.add(name)
        elif not answer.harmed and p.beliefs[name].gain > 0:
            open_ones.append(name)
            ahead |= {name} if answer.ahead else set()
    while open_ones and sum(p.beliefs[n].cost for n in open_ones) > purse:
        open_ones.pop()
    if len(open_ones) > 1:
        more = held.added(open_ones)
        answer = yield Question(
            purpose="block", challenger=more, incumbent=held, members=tuple(open_ones), level="member"
        )
        if answer.keep and ahead - frozenset(p.controls):
            return (yield from _without_controls(p, more, frozenset(alone)))
        held = more if answer.keep else held
    if p.again and open_ones and not held.members and not p.kept:
        arm = Arm("believed", frozenset(open_ones))
        answer = yield Question(
            purpose="block",
            challenger=arm,
            incumbent=Arm("tuned", frozenset()),
            members=tuple(open_ones),
            level="member",
        )
        held = arm if answer.keep else held
    return held


def _for_its_price(one: Belief, name: str) -> tuple[bool, float, str]:
    return one.cost > 0, -one.gain / (one.cost or 1.0), name
