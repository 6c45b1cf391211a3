"""``transcripts/*.pdf``: conversations for people to read and print, with the evidence marked (extra ``pdf``).

A file holds at most ``MOST`` messages of one conversation. It is PDF/A-2a and PDF/UA-1, has its fonts in it, and its
text can be searched and copied. A character without a glyph, or one that nobody could see, is written as its number,
counted, and explained at the end. Evidence is what the events of findings name: offsets in a message's text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm_contact_guard.exports.formats import fonts
from crm_contact_guard.exports.formats.base import Cuts, Made, Row, Rows, told
from crm_contact_guard.exports.formats.running import Child, NotWritten, child
from crm_contact_guard.exports.formats.showing import Printed, name
from crm_contact_guard.record.following import ROW
from crm_contact_guard.supervision.models import FindingKind

FOLDER: Final = "transcripts/"
#: Messages in a file.
MOST: Final = 1000
#: UTF-16 units of a text, and of a message's events.
_MOST_TEXT, _MOST_TRAIL = 20_000, 4_000
#: UTF-16 units of a name or subject.
_MOST_NAME: Final = 500
_TEMPLATE: Final = Path(__file__).parent / "children" / "transcript.typ"


def is_available() -> bool:
    """Whether the extra is installed, and there is a font with Japanese characters."""
    return find_spec("typst") is not None and not any(fonts.problems())


def files(rows: Rows, cuts: Cuts) -> Iterator[Made]:
    """Yield the transcripts. Raise NotWritten."""
    with TemporaryDirectory() as folder:
        paths = [Path(path).resolve() for path in fonts.files()]
        place = Path(folder) / "fonts"
        place.mkdir()
        for at, path in enumerate(paths):
            (place / f"{at}{path.suffix}").symlink_to(path)
        characters = frozenset().union(*(fonts.characters(str(path)) for path in paths))
        families = [fonts.family(str(path)) for path in paths]
        with child("write_pdf", str(_TEMPLATE), str(place)) as program:
            for talk, messages in rows.talks():
                number = 0
                while part := list(islice(messages, MOST)):
                    number += 1
                    target = Path(folder) / "transcript.pdf"
                    _write(program, target, {**_document(talk, part, rows, cuts, characters), "fonts": families})
                    yield Made(f"{FOLDER}{talk}-{number:03}.pdf", [target.read_bytes()], packed=True)


def _write(program: Child, target: Path, data: dict[str, Any]) -> None:
    program.send(json.dumps([str(target), data]).encode() + b"\n")
    problem = json.loads(program.answer())
    if problem:
        raise NotWritten(problem)


def _document(talk: str, messages: Sequence[Row], rows: Rows, cuts: Cuts, characters: frozenset[int]) -> dict[str, Any]:
    """Return the data of the template."""
    printed = Printed(characters)
    shown = [_message(row, rows.trail(row["id"]), printed, cuts) for row in messages]
    first, last = (_at(messages[at]["occurred_at"]) for at in (0, -1))
    about = [
        _("Conversation: %(id)s") % {"id": talk},
        _("Customer: %(names)s") % {"names": ", ".join(dict.fromkeys(_customer(row) for row in messages))},
        _("Employees: %(names)s") % {"names": ", ".join(dict.fromkeys(_employee(row) for row in messages))},
        _("%(count)s messages, from %(first)s to %(last)s (%(zone)s)")
        % {
            "count": len(messages),
            "first": f"{first:%Y-%m-%d %H:%M}",
            "last": f"{last:%Y-%m-%d %H:%M}",
            "zone": str(timezone.get_current_timezone()),
        },
        _("Evidence is highlighted. This transcript is for reading; the proof is messages.jsonl (see VERIFY.md)."),
    ]
    shown_about = [printed.text(cuts.shorten(line, _MOST_TRAIL)) for line in about]
    footer = printed.text(talk)
    cuts.count += printed.missing.total()
    return {
        "title": _("Transcript of a conversation"),
        "lang": (get_language() or "en")[:2],
        "date": [last.year, last.month, last.day],
        "about": shown_about,
        "footer": footer,
        "messages": shown,
        "missing": _missing(printed),
    }


def _missing(printed: Printed) -> list[str]:
    if not printed.missing:
        return []
    intro = _("These characters are invisible or in none of the fonts, and are shown by their numbers:")
    return [intro, *(f"{name(one)} ({count})" for one, count in sorted(printed.missing.items()))]


def _message(row: Row, trail: Sequence[Row], printed: Printed, cuts: Cuts) -> dict[str, Any]:
    text = cuts.shorten(row["text"] or "", _MOST_TEXT)
    marks, kinds = _evidence(trail, len(text))
    withheld = [field for field in row["proof"]["digests"] if row[field] is None]
    names = [str(file["name"]) for file in json.loads(row["files"] or "[]")]
    notes = [
        _("Subject: %(text)s") % {"text": cuts.shorten(row["subject"], _MOST_NAME)} if row["subject"] else "",
        _("Quoted: %(text)s") % {"text": cuts.shorten(row["quoted"], _MOST_TEXT)} if row["quoted"] else "",
        _("Files: %(names)s") % {"names": cuts.shorten(", ".join(names), _MOST_TRAIL)} if names else "",
        _("Withheld or erased: %(names)s") % {"names": ", ".join(withheld)} if withheld else "",
        _("Evidence: %(kinds)s") % {"kinds": ", ".join(kinds)} if kinds else "",
    ]
    at = _at(row["occurred_at"])
    own = row["direction"] != "inbound"
    head = f"{at:%Y-%m-%d %H:%M:%S %z} · {row['channel']} · {row['kind']} · {row['proof']['index']}"
    history = cuts.shorten("; ".join(told(event) for event in trail), _MOST_TRAIL)
    return {
        "own": own,
        "who": printed.text(cuts.shorten(_employee(row) if own else _customer(row), _MOST_NAME)),
        "head": printed.text(head),
        "parts": [[printed.text(part), is_marked] for part, is_marked in _parts(text, marks)],
        "notes": [printed.text(note) for note in notes if note],
        "trail": printed.text(history),
    }


def _evidence(trail: Sequence[Row], length: int) -> tuple[list[tuple[int, int]], list[str]]:
    """Return the spans that findings mark in a text, in ascending order, and the kinds of these findings."""
    spans: set[tuple[int, int]] = set()
    kinds: dict[str, None] = {}
    for event in trail:
        if event["subject_type"] != "finding":
            continue
        finding = json.loads(event["data"] or "{}").get(ROW, {})
        kind = finding.get("kind", "")
        kinds[str(FindingKind(kind).label) if kind in FindingKind.values else str(kind)] = None
        start, end = finding.get("start"), finding.get("end")
        if finding.get("place") == "" and isinstance(start, int) and isinstance(end, int):
            spans.add((min(start, length), min(end, length)))
    return sorted(spans), [kind for kind in kinds if kind]


def _parts(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Cut a text at the ends of the spans. Return its parts, and whether each is marked."""
    parts: list[tuple[str, bool]] = []
    done = 0
    for start, end in spans:
        begin = max(start, done)
        if end > begin:
            parts += [(text[done:begin], False), (text[begin:end], True)]
            done = end
    return [(part, is_marked) for part, is_marked in [*parts, (text[done:], False)] if part]


def _customer(row: Row) -> str:
    side = "from" if row["direction"] == "inbound" else "to"
    return str(row[f"{side}_name"] or _("Customer %(id)s") % {"id": row["customer"]})


def _employee(row: Row) -> str:
    side = "to" if row["direction"] == "inbound" else "from"
    return str(row[f"{side}_name"] or _("Employee %(id)s") % {"id": row["employee"] or "—"})


def _at(text: str) -> datetime:
    return timezone.localtime(datetime.fromisoformat(text))
