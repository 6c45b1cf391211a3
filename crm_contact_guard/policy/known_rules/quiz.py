"""The quiz of a version, written as plain text.

A question is a line, followed by its answers: ``*`` marks the right ones, ``-`` the others. Blank lines are optional::

    May I give a guest my own number?
    - Yes, if the guest asks
    * No, guests reach me here
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm_contact_guard.exceptions import InvalidMessage

_MOST_QUESTIONS = 20
_MOST_ANSWERS = 8


@dataclass(frozen=True)
class Question:
    """A question with its possible answers. ``right`` contains the indexes of the right ones."""

    text: str
    answers: tuple[str, ...]
    right: frozenset[int]


def parse(text: str) -> tuple[Question, ...]:
    """Return the questions; () for an empty quiz. Raise InvalidMessage (field ``quiz``), which names the line."""
    asked: list[tuple[int, str, list[tuple[bool, str]]]] = []
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line:
            continue
        if line[0] not in "*-":
            asked.append((number, line, []))
        elif not asked:
            raise _wrong(number, _("an answer without a question"))
        else:
            asked[-1][2].append((line[0] == "*", line[1:].strip()))
    if len(asked) > _MOST_QUESTIONS:
        raise _wrong(asked[_MOST_QUESTIONS][0], _("too many questions"))
    return tuple(_question(*one) for one in asked)


def _question(number: int, text: str, answers: Sequence[tuple[bool, str]]) -> Question:
    if not 2 <= len(answers) <= _MOST_ANSWERS or not all(answer for _right, answer in answers):
        raise _wrong(number, _("give two to eight answers"))
    right = frozenset(index for index, (is_right, _answer) in enumerate(answers) if is_right)
    if len(right) != 1:
        raise _wrong(number, _("mark one answer with *"))
    return Question(text, tuple(answer for _right, answer in answers), right)


def _wrong(number: int, why: str) -> InvalidMessage:
    return InvalidMessage(_("Line %(number)d: %(why)s.") % {"number": number, "why": why}, field="quiz")


def is_passed(questions: Sequence[Question], chosen: Mapping[int, int]) -> bool:
    """Whether every question was answered right. ``chosen`` maps a question's index to the index of the answer."""
    return all(chosen.get(index) in question.right for index, question in enumerate(questions))
