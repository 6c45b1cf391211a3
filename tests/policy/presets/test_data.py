"""The presets as they are shipped, and files with mistakes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import hours, presets, retention
from crm_contact_guard.policy.presets import preset, reading, shapes, wordings

FOLDER = Path(presets.__file__).parent


def test_there_is_one_file_per_industry() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(presets.INDUSTRIES)


def test_an_installation_that_chooses_nothing_behaves_as_before() -> None:
    assert dict(preset("general").rules) == {"attempt": "nudge", "after_hours": "deliver", "quiet_hours": "deliver"}
    assert set(preset("general").sensitivity.values()) == {"balanced"}


@pytest.mark.parametrize("industry", presets.INDUSTRIES)
def test_what_a_preset_proposes_can_be_set(industry: str) -> None:
    found = preset(industry)

    assert found.retention in retention.PRESETS
    assert any(hours.parse_week(found.hours.working))
    assert not found.hours.quiet or re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", found.hours.quiet)
    assert {outcome.kind for outcome in found.outcomes} == {*shapes.CONDUCT_OUTCOMES, *shapes.PROTECTION_OUTCOMES}


@pytest.mark.parametrize("industry", presets.INDUSTRIES)
def test_every_text_is_in_both_languages(industry: str) -> None:
    found = preset(industry)
    texts = [found.label, found.clause, found.customer_notice, *found.notice.values()]
    texts += [outcome.label for outcome in found.outcomes]
    english = [text["en"] for text in texts]
    japanese = [text["ja"] for text in texts]
    for kind in shapes.WORDINGS:
        english += found.wordings[kind]["en"]
        japanese += found.wordings[kind]["ja"]

    assert set(found.notice) == set(shapes.NOTICE_FIELDS)
    assert not [text for text in english if re.search("[ぁ-ん一-龠]", text)]
    assert not [text for text in japanese if not re.search("[ぁ-んァ-ン一-龠]", text)]
    assert "{company}" in found.customer_notice["en"]
    assert "{company}" in found.customer_notice["ja"]


@pytest.mark.parametrize("industry", presets.INDUSTRIES)
@pytest.mark.parametrize("kind", shapes.WORDINGS)
@pytest.mark.parametrize("language", ["en", "ja", "ja-jp", "th"])
def test_a_writer_is_offered_wordings_that_no_rule_objects_to(
    industry: str, kind: shapes.WordingKind, language: str
) -> None:
    from crm_contact_guard import detection
    from crm_contact_guard.detection.types import Direction
    from crm_contact_guard.policy.company import company

    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "INDUSTRY": industry}):
        offered = wordings(language, kind)
        flagged = [
            text for text in offered if detection.scan(text, direction=Direction.OUTBOUND, company=company()).attempt
        ]

    assert len(set(offered)) >= 4
    assert bool(re.search("[ぁ-ん]", offered[0])) is language.startswith("ja")
    assert flagged == []


ASKS = {
    "en": (
        "Shall we talk on WhatsApp instead? My number is +44 7700 900123.",
        "What's your personal number? I'd rather text you directly.",
        "Could we talk about the offer on my private email instead?",
    ),
    "ja": (
        "LINEを交換しませんか？IDはtanaka_1985です。",
        "個人の携帯番号を教えてもらえませんか。",
        "今後は私のメールに直接送ってもらえますか？",
    ),
}


@pytest.mark.parametrize("industry", presets.INDUSTRIES)
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("semantic", [False, True])
def test_an_offered_wording_raises_no_alert_as_the_answer_to_a_customers_ask(
    industry: str, language: str, semantic: bool
) -> None:
    from crm_contact_guard import detection
    from crm_contact_guard.detection.types import Direction, ThreadMessage
    from crm_contact_guard.policy.company import company

    flagged = []
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "INDUSTRY": industry}):
        for text in (*wordings(language, "decline"), *wordings(language, "return")):
            for ask in ASKS[language]:
                thread = [ThreadMessage(ask, Direction.INBOUND), ThreadMessage(text, Direction.OUTBOUND, 2)]
                if detection.read_message(thread, company=company(), semantic_stage=semantic).attempt:
                    flagged.append((ask, text))

    assert flagged == []


def general() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "general.toml").read_text("utf-8"))


def _outcome_twice(data: dict[str, Any]) -> None:
    data["outcomes"].append(data["outcomes"][0])


MISTAKES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda d: d.update(colour="red"), "zoo.toml: colour: unknown key"),
    (lambda d: d.pop("rules"), "zoo.toml: rules: is missing"),
    (lambda d: d.update(rules=[]), "zoo.toml: rules: is not a table"),
    (lambda d: d["rules"].pop("attempt"), "zoo.toml: rules.attempt: is missing"),
    (lambda d: d["rules"].update(attempt="shout"), 'zoo.toml: rules."attempt": unknown action'),
    (lambda d: d["rules"].update({"attempt.sidedeal": "nudge"}), 'zoo.toml: rules."attempt.sidedeal": unknown part'),
    (lambda d: d["sensitivity"].update(sideways="quiet"), "zoo.toml: sensitivity.sideways: unknown key"),
    (lambda d: d["sensitivity"].update(inbound="loud"), "zoo.toml: sensitivity.inbound: unknown word"),
    (lambda d: d["hours"].update(lunch="12"), "zoo.toml: hours.lunch: unknown key"),
    (lambda d: d["hours"].update(working="always"), "zoo.toml: hours.working: is not a table"),
    (lambda d: d["hours"].update(quiet=9), "zoo.toml: hours.quiet: is not a text"),
    (lambda d: d.update(retention=""), "zoo.toml: retention: is not a text"),
    (lambda d: d.update(review_share=1.1), "zoo.toml: review_share: 1.1 is not a number"),
    (lambda d: d.update(review_share=True), "zoo.toml: review_share: True is not a number"),
    (lambda d: d["outcomes"][1].update(kind="caning"), "zoo.toml: outcomes[2].kind: unknown kind"),
    (lambda d: d["outcomes"][1].pop("ja"), "zoo.toml: outcomes[2].ja: is missing"),
    (_outcome_twice, "zoo.toml: outcomes[15].kind: 'no_action' is listed twice"),
    (lambda d: d.update(outcomes={}), "zoo.toml: outcomes: is not a list"),
    (lambda d: d["notice"].pop("milder_means"), "zoo.toml: notice.milder_means: is missing"),
    (lambda d: d["notice"].update(weather=d["label"]), "zoo.toml: notice.weather: unknown key"),
    (lambda d: d["notice"]["extent"].update(fr="tout"), "zoo.toml: notice.extent.fr: unknown key"),
    (lambda d: d["clause"].update(ja=" "), "zoo.toml: clause.ja: is not a text"),
    (lambda d: d["wordings"].pop("return"), "zoo.toml: wordings.return: is missing"),
    (lambda d: d["wordings"]["decline"]["ja"].pop(), "zoo.toml: wordings.decline.ja: has fewer than 4"),
    (lambda d: d["wordings"]["decline"].update(en=[1, 2, 3, 4]), "zoo.toml: wordings.decline.en: is not a list"),
]


@pytest.mark.parametrize(("spoil", "told"), MISTAKES, ids=[told for _spoil, told in MISTAKES])
def test_a_mistake_is_named_with_file_and_path(spoil: Callable[[dict[str, Any]], object], told: str) -> None:
    data = general()
    reading.from_data("zoo.toml", data)
    spoil(data)

    with pytest.raises(reading.BadPreset, match=re.escape(told)):
        reading.from_data("zoo.toml", data)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "zoo.toml").write_text("rules = [", "utf-8")

    with pytest.raises(reading.BadPreset, match=r"zoo\.toml: "):
        reading.read(tmp_path / "zoo.toml")


def test_an_unknown_industry_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'zoo'; known: finance, general"):
        preset("zoo")
