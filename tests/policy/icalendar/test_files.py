"""Files as calendar programs and attackers write them, and the calendar that comes of them."""

from __future__ import annotations

import time
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_contact_guard.policy.icalendar import MAX_BYTES, BadCalendar, Words, calendar_of

TODAY = date(2026, 7, 1)
#: As Outlook writes a zone of its own: a name that says nothing.
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:{summer}
TZOFFSETTO:{winter}
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:{winter}
TZOFFSETTO:{summer}
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""
BERLIN = OWN_ZONE.format(winter="+0100", summer="+0200")


def event(*lines: str, summary: str = "Shift") -> str:
    return "\n".join(("BEGIN:VEVENT", "UID:one@kaede.example", f"SUMMARY:{summary}", *lines, "END:VEVENT"))


def read(*parts: str, zone: str = "Asia/Tokyo", today: date = TODAY) -> dict[str, Any]:
    text = "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""))
    return calendar_of(text.replace("\n", "\r\n").encode(), zone=ZoneInfo(zone), today=today, words=Words())


def roster(first: str, last: str, days: dict[str, list[list[str]]]) -> dict[str, Any]:
    return {"roster": {"from": first, "to": last, "days": days}}


def one_day(day: str, start: str, end: str) -> dict[str, Any]:
    return roster(day, day, {day: [[start, end]]})


@pytest.mark.parametrize(
    ("lines", "zone", "expected"),
    [
        (["DTSTART:20260706T090000", "DTEND:20260706T180000"], "Asia/Tokyo", ("2026-07-06", "09:00", "18:00")),
        (["DTSTART:20260706T000000Z", "DTEND:20260706T090000Z"], "Asia/Tokyo", ("2026-07-06", "09:00", "18:00")),
        (["DTSTART;TZID=Europe/London:20260706T220000", "DURATION:PT8H"], "Asia/Tokyo",
         ("2026-07-07", "06:00", "14:00")),
        (["DTSTART:20260706T220000", "DTEND:20260707T060000"], "Asia/Tokyo", ("2026-07-06", "22:00", "06:00")),
        (["DTSTART:20260706T090000", "DTEND:20260707T090000"], "Asia/Tokyo", ("2026-07-06", "09:00", "09:00")),
        # A night in which the clock is put back lasts nine hours, from 22:00 to 06:00 all the same.
        (["DTSTART;TZID=Europe/London:20261024T220000", "DTEND;TZID=Europe/London:20261025T060000"],
         "Europe/London", ("2026-10-24", "22:00", "06:00")),
        ([" ;", "DTSTART:20260706T090000", "DTEND:20260706T180000"], "Asia/Tokyo", None),
    ],
)  # fmt: skip
def test_shifts_by_the_employees_clock(lines: list[str], zone: str, expected: tuple[str, str, str] | None) -> None:
    if expected is None:  # a continuation of the summary before it
        expected = ("2026-07-06", "09:00", "18:00")
    assert read(event(*lines), zone=zone) == one_day(*expected)


def test_each_files_zones_are_its_own() -> None:
    """The usual library keeps the first file's zone for the whole process."""
    lines = ["DTSTART;TZID=Customized Time Zone:20260706T090000", "DTEND;TZID=Customized Time Zone:20260706T180000"]
    tokyo = OWN_ZONE.format(winter="+0900", summer="+0900")

    for _ in range(2):
        assert read(tokyo, event(*lines)) == one_day("2026-07-06", "09:00", "18:00")
        assert read(BERLIN, event(*lines)) == one_day("2026-07-06", "16:00", "01:00")
    with pytest.raises(BadCalendar, match=r"line 6: the time zone 'Customized Time Zone' of event 'one@kaede"):
        read(event(*lines))


@pytest.mark.parametrize("day", ["20260328", "20260329", "20261024", "20261025", "20260706", "20261205"])
def test_a_files_own_zone_changes_as_the_real_one(day: str) -> None:
    """Shifts around the clock changes, in a file's own Berlin and in the real one, at all hours."""
    for hour in range(24):
        found = []
        for zone in ("Customized Time Zone", "Europe/Berlin"):
            lines = [f"DTSTART;TZID={zone}:{day}T{hour:02}3000", "DURATION:PT3H"]
            found.append(
                read(BERLIN, event(*lines), today=date(2026, 6, 1))
                if day > "20260501"
                else read(BERLIN, event(*lines), today=date(2026, 3, 1))
            )
        assert found[0] == found[1], hour


def test_a_known_name_beats_a_lying_definition() -> None:
    lies = BERLIN.replace("Customized Time Zone", "Asia/Tokyo")

    found = read(lies, event("DTSTART;TZID=Asia/Tokyo:20260706T090000", "DTEND;TZID=Asia/Tokyo:20260706T180000"))

    assert found == one_day("2026-07-06", "09:00", "18:00")


@pytest.mark.parametrize("out", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"])
def test_cancelled_and_transparent_events_are_out(out: str) -> None:
    assert read(event("DTSTART:20260706T090000", "DTEND:20260706T180000", out)) == {}


def test_a_series_with_a_day_off_and_a_moved_day() -> None:
    series = event(
        "DTSTART:20260706T090000", "DTEND:20260706T180000", "RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20260707T090000"
    )
    moved = event("RECURRENCE-ID:20260708T090000", "DTSTART:20260708T130000", "DTEND:20260708T220000")
    gone = event("RECURRENCE-ID:20260709T000000Z", "DTSTART:20260709T090000", "DURATION:PT9H", "STATUS:CANCELLED")

    assert read(series, moved, gone) == roster(
        "2026-07-06", "2026-07-08", {"2026-07-06": [["09:00", "18:00"]], "2026-07-08": [["13:00", "22:00"]]}
    )


@pytest.mark.parametrize(
    ("until", "days"),
    [("20260708", 3), ("20260708T090000", 3), ("20260708T000000Z", 3), ("20260707T235959Z", 2), ("19991231", 0)],
)
def test_a_series_ends_with_until(until: str, days: int) -> None:
    found = read(event("DTSTART:20260706T090000", "DURATION:PT9H", f"RRULE:FREQ=DAILY;UNTIL={until}"))

    assert len(found.get("roster", {}).get("days", ())) == days


@pytest.mark.parametrize(
    ("summary", "more", "expected"),
    [
        ("Annual leave", [], {"leave": [["2026-07-06", "2026-07-07"]]}),
        ("Away", ["CATEGORIES:Private,Leave"], {"leave": [["2026-07-06", "2026-07-07"]]}),
        ("オンコール当番", [], {"on_call": [["2026-07-06T00:00", "2026-07-08T00:00"]]}),
        ("Dentist", [], {}),
    ],
)
def test_words_tell_what_an_event_of_days_is(summary: str, more: list[str], expected: dict[str, Any]) -> None:
    days = event("DTSTART;VALUE=DATE:20260706", "DTEND;VALUE=DATE:20260708", *more, summary=summary)

    assert read(days) == expected


def test_leave_and_duty_with_times() -> None:
    leave = event("DTSTART:20260706T130000", "DTEND:20260707T100000", summary="半日休暇")
    duty = event("DTSTART:20260711T090000", "DTEND:20260712T090000", summary="On call")

    assert read(leave, duty) == {
        "leave_parts": [["2026-07-06", "13:00", "24:00"], ["2026-07-07", "00:00", "10:00"]],
        "on_call": [["2026-07-11T09:00", "2026-07-12T09:00"]],
    }


NINE = ("DTSTART:20260706T090000", "DTEND:20260706T180000")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (event("DTSTART:notadate"), "line 6: 'notadate' is not a time"),
        (event("DTSTART:20260231T090000"), "is not a time"),
        (event("DTSTART:00010101T000000"), "is not a time"),
        (event("SUMMARY:two"), "event 'one@kaede.example' has no DTSTART"),
        (event("DTSTART;TZID=Mars/Base:20260706T090000"), "time zone 'Mars/Base' of event 'one@kaede.example'"),
        (event("DTSTART;TZID=../../etc/passwd:20260706T090000"), "isn't known"),
        (event("DTSTART:20260706T180000", "DTEND:20260706T090000"), "ends before it begins"),
        (event("DTSTART:20260706T180000", "DTEND;VALUE=DATE:20260707"), "DTEND must be a date"),
        (event("DTSTART:20260706T180000", "DURATION:PT99999999H"), "not a duration"),
        (event("DTSTART:20260706T180000", "DURATION:P500D"), "more than 366 days"),
        (event("DTSTART:20260706T180000", "DURATION:PT30H"), "takes more than 24 hours"),
        (event("DTSTART;VALUE=DATE:20260706"), "has no times"),
        (event(*NINE, "RRULE:FREQ=SECONDLY"), "line 8: FREQ=SECONDLY is not one of DAILY"),
        (event(*NINE, "RRULE:FREQ=HOURLY;COUNT=10"), "FREQ=HOURLY"),
        (event(*NINE, "RRULE:INTERVAL=2"), "FREQ= is not"),
        (event(*NINE, "RRULE:FREQ=DAILY;BYHOUR=1,2,3"), "RRULE with BYHOUR isn't supported"),
        (event(*NINE, "RRULE:FREQ=DAILY;INTERVAL=0"), "INTERVAL=0"),
        (event(*NINE, "RRULE:FREQ=DAILY;COUNT=1000000"), "COUNT=1000000"),
        (event(*NINE, "RRULE:FREQ=DAILY;FREQ=DAILY"), "RRULE has"),
        (event(*NINE, "RRULE:FREQ=WEEKLY;BYDAY=1MO"), "needs FREQ=MONTHLY"),
        (event(*NINE, "RRULE:FREQ=WEEKLY;BYDAY=XX"), "not a weekday"),
        (event(*NINE, "RRULE:FREQ=WEEKLY;WKST=XX"), "not a weekday"),
        (event(*NINE, "RRULE:FREQ=DAILY;UNTIL=tomorrow"), "'TOMORROW' is not a time"),
        (event("DTSTART:19900101T090000", "DURATION:PT8H", "RRULE:FREQ=DAILY"), "line 8: the rule began on 1990-01-01"),
        (event(*NINE, "RECURRENCE-ID;RANGE=THISANDFUTURE:20260706T090000"), "RANGE isn't supported"),
        (event(*NINE, "RDATE;VALUE=PERIOD:20260706T090000Z/PT8H"), "periods"),
        ("BEGIN:VEVENT", "closes VEVENT of line 3"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR", "one VCALENDAR"),
        ("not a property", "line 3: 'not a property' is not a property"),
        (BERLIN.replace("+0100", "+9900") + "\n" + event("DTSTART;TZID=Customized Time Zone:20260706T090000"),
         "not a time difference"),
        (BERLIN.replace("+0100", "east") + "\n" + event("DTSTART;TZID=Customized Time Zone:20260706T090000"),
         "no TZOFFSET"),
        (event("DESCRIPTION:" + "x" * 30_000), "line 6: more than 20000 characters"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_named_with_its_line(text: str, says: str) -> None:
    with pytest.raises(BadCalendar) as raised:
        read(text)

    assert says in str(raised.value)


def bomb(rule: str, events: int) -> str:
    return "\n".join(event("DTSTART:20000103T090000", "DURATION:PT8H", f"RRULE:{rule}") for _ in range(events))


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(event(*NINE) for _ in range(6_000)),
        bomb("FREQ=DAILY", 4_000),
        bomb("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 4_000),
        bomb("FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=-1;INTERVAL=7", 4_000),
        bomb("FREQ=DAILY;COUNT=99999;INTERVAL=9999", 4_000),
        "BEGIN:VEVENT\n" * 5_000,
        "BEGIN:X\n" * 60_000,
        "X" + ";A=B" * 200_000,
        "\n ".join(["SUMMARY:"] + ["x" * 70] * 12_000),
        "x" * (MAX_BYTES + 1),
    ],
)
def test_hostile_files_are_refused_quickly(text: str) -> None:
    began = time.process_time()

    with pytest.raises(BadCalendar):
        read(text)

    assert time.process_time() - began < 8


def test_for_ever_is_a_year_that_no_clock_knows() -> None:
    series = event("DTSTART:20260706T090000", "DURATION:PT9H", "RRULE:FREQ=MONTHLY;UNTIL=99991231T235959Z")
    never = event("DTSTART;TZID=Asia/Tokyo:99991231T235959", "DTEND;TZID=Asia/Tokyo:99991231T235959")

    assert len(read(series, never)["roster"]["days"]) == 13


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"BEGIN:VCALENDAR", b"<html>", b"BEGIN:VEVENT\nEND:VEVENT\n"])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(BadCalendar):
        calendar_of(data, zone=ZoneInfo("UTC"), today=TODAY, words=Words())
