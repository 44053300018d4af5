"""What a trial says about a grader, and what it should say. Pure.

The bounds are those of our rubric; where it has none they are our choice, and the table says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.quality_cases import CHANGES, GRADES, LEARNER, TOLD, golden, tricky
from benchmarks.quality_trial import Found, Key
from core.interview.model import Mode, Turn
from core.interview.rubric import answer_score

LEAST_AGREEMENT = 0.6
MOST_FLIPS = 0.2
MOST_APART = 1.0  # points of ten between grading one by one and four at a time
MOST_CALLS: Mapping[Mode, int] = {"full": 10, "lean": 4, "offline": 0}
MOST_TOKENS = 20_000


@dataclass(frozen=True)
class Figure:
    """`seen` in words and as a `value`; `bound` is empty where there is none, and then it `holds`."""

    name: str
    value: float
    seen: str
    bound: str = ""
    holds: bool = True


def figures(found: Found) -> tuple[Figure, ...]:
    return (
        _all("answers that were graded", found.graded, found.asked),
        Figure("models that graded", len(found.models), str(len(found.models)), "1", len(found.models) == 1),
        *_separation(found),
        _agreement(found),
        _flips(found),
        *_effects(found),
        _flagged(found),
        _all("answers in other scripts or with code that are taken", sum(found.taken), len(found.taken)),
        _all("empty, repeated or no answers that cost no call", sum(found.for_nothing), len(found.for_nothing)),
        _together(found),
        *_costs(found),
    )


def _all(name: str, count: int, of: int) -> Figure:
    return Figure(name, count / of if of else 0.0, f"{count} of {of}", "all", 0 < of == count)


def _separation(found: Found) -> tuple[Figure, ...]:
    score = {key: _score(turn) for key, turn in found.singly.items()}
    means = [_mean(_of(score, grade)) for grade in GRADES]
    ids = [each.question.id for each in golden() if each.grade == "strong"]
    lowest = -1.0
    apart = sum(
        score.get((id_, "strong"), lowest) > score.get((id_, "mid"), lowest) > score.get((id_, "weak"), 11.0)
        for id_ in ids
    )
    smooth = sum(
        score.get((each.question.id, each.grade), 11.0) < score.get((each.question.id, "mid"), lowest)
        for each in tricky()
    )
    said = " > ".join(f"{m:.1f}" for m in means)
    return (
        Figure("mean score of strong, mid and weak answers", means[0] - means[2], said),
        _all("questions with strong > mid > weak", apart, len(ids)),
        _all("eloquent or stuffed answers below a mid one", smooth, len(tricky())),
    )


def _agreement(found: Found) -> Figure:
    shares = []
    for each in (*golden(), *tricky()):
        turn = found.singly.get((each.question.id, each.grade))
        met = _met(turn) if turn else frozenset()
        shares.append(len(met & each.anchors) / len(met | each.anchors))
    value = mean(shares)
    return Figure(
        "agreement with the expected anchors (Jaccard)",
        value,
        f"{value:.2f}",
        f">= {LEAST_AGREEMENT} (ours)",
        value >= LEAST_AGREEMENT,
    )


def _flips(found: Found) -> Figure:
    """Of the anchors that were found at all, the share that was not found every time."""
    ever = sum(len(frozenset[str]().union(*map(_met, turns))) for turns in found.repeated.values())
    always = sum(len(frozenset[str].intersection(*map(_met, turns))) for turns in found.repeated.values())
    value = (ever - always) / ever if ever else 1.0
    times = max((len(turns) for turns in found.repeated.values()), default=0)
    seen = f"{value:.0%} in {times} repeats"
    return Figure("anchors that flip", value, seen, f"<= {MOST_FLIPS:.0%} (ours)", value <= MOST_FLIPS)


def _effects(found: Found) -> Iterable[Figure]:
    for change in CHANGES:
        yield _effect(change.name, found, found.changed.get(change.name, {}), change.most)
    yield _effect("in a learner's grammar", found, found.told_again.get("learner", {}), LEARNER)
    yield _effect("in another script", found, found.told_again.get("script", {}), None)


def _effect(name: str, found: Found, changed: Mapping[str, Turn], most: float | None) -> Figure:
    """On half-good answers: the mean size of the change, and the largest one."""
    base = {id_: turns[0] for id_, turns in found.repeated.items()}
    by = [abs(_score(turn) - _score(base[id_])) for id_, turn in changed.items() if id_ in base]
    value = _mean(by)
    return Figure(
        f"change of score: {name}",
        value,
        f"{value:.2f}, at most {max(by, default=0.0):.1f}",
        "" if most is None else f"<= {most}",
        most is None or (bool(by) and value <= most),
    )


def _flagged(found: Found) -> Figure:
    name = next(change.name for change in CHANGES if TOLD in change.apply(""))
    turns = found.changed.get(name, {}).values()
    return _all("orders to the grader that were cut and shown", sum(map(_left_out, turns)), len(turns))


def _together(found: Found) -> Figure:
    both = found.singly.keys() & found.together.keys()
    value = _mean([abs(_score(found.singly[key]) - _score(found.together[key])) for key in both])
    return Figure(
        "change of score: graded four at a time",
        value,
        f"{value:.2f}",
        f"<= {MOST_APART} (ours)",
        bool(both) and value <= MOST_APART,
    )


def _costs(found: Found) -> Iterable[Figure]:
    each = found.batches.calls * 8 / len(found.together) if found.together else 0.0
    yield Figure("calls for eight answers, four at a time", each, f"{each:.1f}", "<= 2", 0 < each <= 2)
    if found.interviewed is None:
        return
    mode, spent = found.interviewed.mode, found.interviewed.spent
    most = MOST_CALLS[mode]
    name = f"an interview of eight ({mode}):"
    yield Figure(f"{name} calls", spent.calls, str(spent.calls), f"<= {most}", spent.calls <= most)
    told = f"{spent.tokens:,}"
    yield Figure(f"{name} tokens", spent.tokens, told, f"<= {MOST_TOKENS:,}", spent.tokens <= MOST_TOKENS)


def _of(scores: Mapping[Key, float], grade: str) -> list[float]:
    return [score for (_, each), score in scores.items() if each == grade]


def _mean(values: Sequence[float]) -> float:
    return mean(values) if values else 0.0


def _score(turn: Turn) -> float:
    score = answer_score(turn)
    return 0.0 if score is None else score


def _met(turn: Turn) -> frozenset[str]:
    return frozenset(met.anchor for met in turn.feedback.met) if turn.feedback else frozenset()


def _left_out(turn: Turn) -> bool:
    return turn.feedback is not None and bool(turn.feedback.left_out)
