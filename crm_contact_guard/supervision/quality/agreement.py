"""How far two people who judged the same alerts agree. Pure.

Gwet's AC1: K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement", British
Journal of Mathematical and Statistical Psychology 61 (2008), 29-48. Cohen's kappa isn't shown, since it is near zero
whenever one answer is rare, however well two people agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crm_contact_guard.supervision.quality.intervals import Share


@dataclass(frozen=True)
class Agreement:
    """``counts`` of pairs of answers, the first person's first. ``ac1`` is None without pairs."""

    counts: Mapping[tuple[str, str], int]
    same: Share
    ac1: float | None


def agreement(pairs: Iterable[tuple[str, str]], answers: Sequence[str]) -> Agreement:
    """Return how far people agree who chose among ``answers``.

    AC1 = (pa - pe) / (1 - pe), where pe is the sum of p(1 - p) / (number of answers - 1). ``pa`` is the share of equal
    answers, ``p`` an answer's mean share of both people's answers.
    """
    counts = Counter(pairs)
    whole = sum(counts.values())
    same = Share(sum(number for (one, other), number in counts.items() if one == other), whole)
    if not whole:
        return Agreement({}, same, None)
    shares = [sum(number * pair.count(answer) for pair, number in counts.items()) / (2 * whole) for answer in answers]
    chance = sum(share * (1 - share) for share in shares) / (len(answers) - 1)
    return Agreement(counts, same, (same.value - chance) / (1 - chance))
