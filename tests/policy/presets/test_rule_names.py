"""Which rule decides: against a second way to find it, over every piece of evidence and thousands of rule sets."""

from __future__ import annotations

from itertools import chain, combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.presets.rule_names import BASES, BadRule, Evidence, deciding, merged, split

KINDS = ("contact_identifier", "contact_request", "private_meeting", "side_deal")
STANCES = ("offer", "ask", "accept")
SIDES = ("employee", "customer")
ORDER = ["deliver", "nudge", "schedule", "hold", "block"]


def names() -> list[str]:
    """Every name that there is, written out."""
    attempt = [
        ".".join(part for part in ("attempt", *parts) if part)
        for parts in product(("", *KINDS), ("", *STANCES), ("", *SIDES))
    ]
    others = [
        f"{base}{side}" for base in ("harassment", "sensitive_data", "private_topic") for side in ("", ".employee")
    ]
    return [*attempt, *others, "after_hours", "quiet_hours"]


def by_hand(rules: dict[str, Action], kind: str, stance: str, side: str) -> Action | None:
    """The action for an attempt: ask for each possible name of this evidence, the longest ones first."""
    words = [word for word in (kind, stance, side) if word]
    for length in range(len(words), -1, -1):
        asked = [".".join(("attempt", *chosen)) for chosen in combinations(words, length)]
        found = [rules[name] for name in asked if name in rules]
        if found:
            return max(found, key=lambda action: ORDER.index(action.value))
    return None


@given(st.dictionaries(st.sampled_from(names()), st.sampled_from(list(Action))))
def test_the_narrowest_rule_decides(rules: dict[str, Action]) -> None:
    for kind, stance, side in product(("", *KINDS), STANCES, SIDES):
        name = deciding(rules, Evidence("attempt", kind, stance, side))

        assert (rules[name] if name else None) == by_hand(rules, kind, stance, side)


@given(
    st.dictionaries(st.sampled_from(names()), st.sampled_from(list(Action))),
    st.dictionaries(st.sampled_from(names()), st.sampled_from(list(Action)), max_size=4),
)
def test_a_companys_rule_never_yields_to_the_presets(preset: dict[str, Action], own: dict[str, Action]) -> None:
    both = merged(preset, own)

    for kind, stance, side in product(KINDS, STANCES, SIDES):
        evidence = Evidence("attempt", kind, stance, side)
        wanted = deciding(own, evidence)
        if wanted is None:
            assert deciding(both, evidence) == deciding(preset, evidence)
        else:
            # A preset's rule about something else may be stricter, but the company's rule is never made milder.
            assert ORDER.index(both[deciding(both, evidence) or ""]) >= ORDER.index(own[wanted]) or (
                deciding(both, evidence) not in own
            )


def test_a_broad_rule_of_the_company_silences_the_presets_narrow_ones() -> None:
    preset = {"attempt": Action.NUDGE, "attempt.side_deal": Action.BLOCK, "after_hours": Action.DELIVER}

    assert merged(preset, {"attempt": Action.DELIVER}) == {"attempt": Action.DELIVER, "after_hours": Action.DELIVER}


@pytest.mark.parametrize("name", names())
def test_every_name_is_known(name: str) -> None:
    assert split(name)[0] in BASES


@pytest.mark.parametrize(
    "name",
    [
        "",
        "atempt",
        "attempt.",
        "attempt.refuse",
        "attempt.harassment",
        "attempt.offer.side_deal",
        "attempt.side_deal.side_deal",
        "attempt.employee.offer",
        "after_hours.employee",
        "harassment.offer",
        "harassment.employee.employee",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(BadRule):
        split(name)


def test_a_refusal_names_the_nearest_word() -> None:
    with pytest.raises(BadRule, match="did you mean 'side_deal'"):
        split("attempt.side_deals")
    with pytest.raises(BadRule, match="did you mean 'after_hours'"):
        split("afterhours")


def test_no_two_names_mean_the_same() -> None:
    assert len({split(name) for name in names()}) == len(names()) == len(set(chain(names())))
