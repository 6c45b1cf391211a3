"""``kill -9`` of worker, beat and web server while messages wait, and while attempts, notices and cases are worked on.

Nothing is sent twice, before its minute, or after it was taken back or decided against; nothing is forgotten. Each
attempt has one alert, each notice arrives once or somebody is told that it didn't, and no step of a case is lost.

5 kills in each run; ``make kills`` does 200 others (``test_kills`` explains the variables).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from tests.services.kills.carried import was_carried
from tests.services.kills.installation import Installation, installation
from tests.services.kills.waiting import ENDS, GUARD, HOLD, DeskWorld, Waiting

CI = 5
NUMBER = int(os.environ.get("CONTACT_GUARD_KILLS", CI))
FIRST_SEED = int(os.environ.get("CONTACT_GUARD_KILLS_SEED", "1"))
EACH = min(NUMBER, 50)
SEEDS = range(FIRST_SEED, FIRST_SEED + max(1, NUMBER // EACH))
CAMPAIGNS = [("sqlite" if (seed - FIRST_SEED) % 5 == 1 else "postgresql", seed) for seed in SEEDS]
#: States of a message that its carrier has.
SENT = ("sent", "delivered", "read", "uncertain")


@pytest.fixture
def hotel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    kind, seed = request.param
    with installation(kind, tmp_path, {**GUARD, "HOLD_ENDS": ("return", "expire")[seed % 2]}) as made:
        made.people |= made.told("desk", str(EACH))
        made.asks, made.rests = "desk-record", ("uninspected", "waiting", "untold")
        yield made


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("hotel", "seed"),
    [pytest.param((kind, seed), seed, id=f"{kind}-{seed}") for kind, seed in CAMPAIGNS],
    indirect=["hotel"],
)
def test_what_waits_goes_once_at_its_time_or_never(hotel: Installation, seed: int) -> None:
    world = hotel.campaign(seed, EACH, DeskWorld)
    print("\n".join(hotel.struck))

    assert len(hotel.struck) == EACH
    record = hotel.settled()
    rows = {(row["channel"], row["text"]): row for row in record["outbound"]}
    waits = {(row["channel"], row["text"]): row for row in record["waits"]}
    assert len(waits) == len(record["waits"]), "one press of the button made two messages"
    assert len(waits) == len(world.waiting)
    for one in world.waiting:
        _went_as_it_may(hotel, world, one, waits[one.alias, one.text], rows[one.alias, one.text])
    _answered_once(hotel, world, record)
    _attempts_have_an_alert(world, record)
    _steps_are_taken_once(world, record)
    _notices_arrived(hotel, record)
    hotel.manage("-m", "django", "contact_guard_seal")
    assert "All holds." in hotel.manage("-m", "django", "contact_guard_verify", "--files")
    states = Counter(f"{row['reason']} {row['state']}" for row in waits.values())
    print(f"{dict(states)}; {len(record['answers'])} automatic answers, {len(record['inbound'])} messages in")
    topics = Counter(f"{row['topic']} {row['way']} {row['state']}" for row in record["notices"])
    print(f"{len(record['attempts'])} attempts, {len(record['alerts'])} alerts, {dict(topics)}")
    again = sum(row["attempts"] > 1 for row in record["notices"] if row["way"] == "email")
    print(f"{again} emails tried more than once, {len(hotel.post.mails)} arrived; {len(world.notebook.done)} steps")


def _went_as_it_may(
    hotel: Installation, world: DeskWorld, one: Waiting, wait: dict[str, Any], row: dict[str, Any]
) -> None:
    what = f"{one} {wait} {row}"
    assert {one.id} == world.book.sent[one.alias, one.text], what
    taken = hotel.sink.taken() if one.alias == "email" else hotel.carriers[one.alias].taken()
    copies = [copy for copy in taken if one.text in copy.text]
    stops = {ENDS[act] for act in one.done if act in ENDS}
    assert len(stops) <= 1, f"two ends were confirmed: {what}"
    if wait["state"] == "released":
        assert not stops, f"it was stopped, and went: {what}"
        was_carried(row, copies, world)
        first = hotel.first_copy(one.alias, one.text)
        if first is not None:
            assert first >= one.earliest, f"{one.earliest - first} seconds early: {what}"
        if one.kind == "hold":
            assert one.approving is not None, f"nobody approved it: {what}"
            assert first is None or first >= one.approving, what
        return
    assert not copies, f"it was not released, and the carrier has it: {what}"
    assert row["state"] == wait["state"], what
    act = next((act for act, state in ENDS.items() if state == wait["state"]), "")
    if stops:
        assert wait["state"] in stops, f"another end was confirmed: {what}"
    elif act and (wait["decided"] or act == "recall"):
        assert act in one.tried, f"nobody did that: {what}"
    else:
        assert one.kind == "hold", f"nobody stopped it: {what}"
        assert "approve" not in one.done, f"it was approved, and never went: {what}"
        assert wait["state"] in ("returned", "expired"), what
        # The time for a decision counts from the request. It is recorded seconds later if SQLite's other writers go on.
        assert wait["ended_at"] >= one.began + HOLD, f"it ended before its deadline: {what}"


def _answered_once(hotel: Installation, world: DeskWorld, record: dict[str, Any]) -> None:
    """One answer for each conversation in which somebody wrote while nobody works: there is one closing period."""
    found = Counter(row["conversation"] for row in record["answers"])
    assert found == Counter(list(world.night))
    assert record["automatic"] == len(record["answers"])
    for row in record["answers"]:
        assert row["state"] in SENT, row
        if row["channel"] == "email":
            copies = [mail for mail in hotel.sink.mails if row["to"] in mail.rcpt_tos]
            assert 1 <= len(copies) <= row["attempts"], row
            marked = [one for one in copies if b"X-Contact-Guard-Possible-Duplicate" in (one.original_content or b"")]
            assert len(copies) - len(marked) <= 1, row


def _attempts_have_an_alert(world: DeskWorld, record: dict[str, Any]) -> None:
    texts = Counter(row["text"] for row in record["attempts"])
    for one in (each for attempts in world.attempts.values() for each in attempts):
        assert texts[one.text] == 1, one
    found = {row["id"]: row for row in record["alerts"]}
    fingerprints = Counter(row["fingerprint"] for row in record["alerts"])
    assert max(fingerprints.values()) == 1, fingerprints
    for row in record["attempts"]:
        assert len(row["alerts"]) == 1, row
        assert row["alerts"][0] in found, row
    for conversation, times in Counter(row["conversation"] for row in record["attempts"]).items():
        alert = next(row for row in record["alerts"] if row["conversation"] == conversation)
        # What is written right after an attempt may count as part of it.
        assert alert["times"] == alert["messages"] >= times, alert
        assert alert["events"]["alert.opened"] == 1, alert


def _steps_are_taken_once(world: DeskWorld, record: dict[str, Any]) -> None:
    done, tried = world.notebook.done, world.notebook.tried
    alerts = {row["id"]: row for row in record["alerts"]}
    for kind, key in tried:
        if kind == "close":
            closes = alerts[key]["events"].get("alert.closed", 0)
            # It may have been opened again by a further attempt, and closed once more.
            assert closes <= 1 + alerts[key]["events"].get("alert.recurred", 0), alerts[key]
            assert closes or (kind, key) not in done, alerts[key]
            assert alerts[key]["evidence"] <= 1, alerts[key]
    notes = Counter(text for text, _events in record["notes"])
    titles = Counter(title for _key, title, _done, _events in record["tasks"])
    finished = {key for key, _title, is_done, _events in record["tasks"] if is_done}
    for kind, name in tried:
        times = {"note": notes[name], "task_add": titles[name], "task_done": int(name in finished), "close": 1}[kind]
        assert times <= 1, (kind, name)
        assert times == 1 or (kind, name) not in done, (kind, name)
    for _text, events in record["notes"]:
        assert events == {"case_entry.added": 1}
    for _key, _title, is_done, events in record["tasks"]:
        assert events.get("case_task.added") == 1, events
        assert events.get("case_task.done", 0) == int(is_done), events


def _notices_arrived(hotel: Installation, record: dict[str, Any]) -> None:
    arrived = Counter(_message_id(mail.original_content or b"") for mail in hotel.post.mails)
    for row in record["notices"]:
        copies = arrived.pop(row["mail"], 0)
        assert row["events"].get("notice.sent", 0) <= 1, row
        if row["way"] != "email":
            assert row["state"] in ("sent", "dropped"), row
        elif row["state"] == "sent":
            # Twice only if a worker died after the mail server had taken it; both have the same Message-ID.
            assert 1 <= copies <= row["attempts"], (row, copies)
        elif row["state"] == "failed":
            assert copies < row["attempts"], (row, copies)
            assert row["told"], f"nobody was told: {row}"
        else:
            assert row["state"] == "dropped", row
    assert not arrived, "emails of no notice"


def _message_id(mail: bytes) -> str:
    return str(message_from_bytes(mail)["Message-ID"]).strip()
