"""Each promise "never raises" of the package is held by a target here.

``CONTACT_GUARD_EXAMPLES=5000`` tries more inputs for each.
"""

from __future__ import annotations

import ast
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_contact_guard import detection
from crm_contact_guard.channels.base import CarrierEvent, UnknownEvent
from crm_contact_guard.channels.email import addresses, html_text, inbound, mime_text, structure
from crm_contact_guard.channels.twilio import inbound as twilio
from crm_contact_guard.channels.whatsapp import events as whatsapp
from crm_contact_guard.detection import engine, threads
from crm_contact_guard.detection.files import documents
from crm_contact_guard.detection.segments import own_words, segments, words_of_others
from crm_contact_guard.detection.text import charsets
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Direction, Finding, Scan, ThreadMessage, ThreadVerdict
from crm_contact_guard.proof.bundle import Report, verify_bundle
from crm_contact_guard.reading import asking
from crm_contact_guard.reading.options import options
from tests.channels.carrier_server import Answer, Call
from tests.fuzz.inputs import FIXTURES, altered, json_values, octets, payloads, raw_mails, texts
from tests.proof.bundles import relist, rezip, sample, unzip
from tests.reading.reader_server import ReaderServer, reader
from tests.reading.test_client import QUESTION

PACKAGE = Path(__file__).parents[2] / "crm_contact_guard"
EXAMPLES = int(os.environ.get("CONTACT_GUARD_EXAMPLES", "20"))
sides = st.sampled_from(list(Direction))
talks = st.lists(st.builds(ThreadMessage, texts, sides, st.floats(0, 10**6)), min_size=1, max_size=5)


def promises() -> Iterator[str]:
    """Module and name of whatever says that it never raises, except those that only pass the promise on."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        named = [("", tree), *((node.name, node) for node in ast.walk(tree) if isinstance(node, _DEFINED))]
        for name, node in named:
            if "ever raises" in (ast.get_docstring(node) or ""):
                yield f"{path.relative_to(PACKAGE).with_suffix('')}:{name}"


_DEFINED = (ast.ClassDef, ast.FunctionDef)


def found(verdict: Scan | ThreadVerdict, lengths: list[int]) -> None:
    """A verdict without a failure inside, whose places lie within the texts."""
    for finding in verdict.findings:
        assert isinstance(finding, Finding)
        assert finding.detector != "engine.error"
        assert 0 <= finding.start <= finding.end <= lengths[finding.message or 0]


def of_text(judge: Callable[..., Scan]) -> Callable[[Any], None]:
    def run(data: tuple[str, Direction]) -> None:
        found(judge(data[0], direction=data[1]), [len(data[0])])

    return run


def of_note(judge: Callable[[str], Scan]) -> Callable[[str], None]:
    return lambda text: found(judge(text), [len(text)])


def of_talk(judge: Callable[[Any], ThreadVerdict]) -> Callable[[Any], None]:
    return lambda talk: found(judge(talk), [len(message.text) for message in talk])


def of_mail(raw: bytes) -> None:
    events = inbound.read_mail(raw, alias="email", envelope_from=None, envelope_to=["reply@kaede.example"])
    assert events
    unread = [event for event in events if str(getattr(event, "event_id", "")).startswith("unread:")]
    assert not unread, "it was read only as far as its bytes"


def of_structure(raw: bytes) -> None:
    for part in structure.read(raw).walk():
        if not part.is_multipart():
            assert isinstance(part.get_payload(decode=True), bytes)


def of_words(raw: bytes) -> None:
    for part in structure.read(raw).walk():
        mime_text.words(mime_text.raw_header(part, "Subject"))
        mime_text.file_name_of(part)
        mime_text.text_of(part, 1_000) if not part.is_multipart() else None


def of_address(value: str) -> None:
    listed = list(addresses.addresses(value))
    first = addresses.first_address(value)
    assert first in [*listed, ("", "")]
    assert len(listed) <= 100


def of_html(source: str) -> None:
    read = html_text.read_html(source)
    assert read.text.encode("utf-8") is not None


def of_charset(data: tuple[bytes, str]) -> None:
    charsets.decode(*data).encode("utf-8", "replace")


def of_segments(data: tuple[str, Direction]) -> None:
    text, side = data
    parts = segments(text, side)
    assert "".join(text[part.start : part.end] for part in parts) == text
    own_words(text, side, [text[:50]])
    words_of_others(text, side)


def of_normalised(text: str) -> None:
    folded = normalise(text)
    start, end = folded.span(0, len(folded.text))
    assert 0 <= start <= end <= len(text)


def of_twilio(values: dict[str, str]) -> None:
    assert known(twilio.events(values, channel="sms", prefix=""))


def of_whatsapp(body: Any) -> None:
    entries = body.get("entry") if isinstance(body, dict) else body
    events = whatsapp.of(entries if isinstance(entries, list) else [body], channel="whatsapp", number_id="1")
    assert known(events) or not entries


def known(events: list[CarrierEvent]) -> bool:
    return bool(events) and all(not isinstance(event, UnknownEvent) or event.payload for event in events)


def of_bundle(data: tuple[dict[str, bytes], bytes]) -> None:
    files, tail = data
    for bundle in (rezip(files), rezip(relist(files)) if _has_manifest(files) else b"", tail):
        assert isinstance(verify_bundle(io.BytesIO(bundle)), Report)


def _has_manifest(files: dict[str, bytes]) -> bool:
    try:
        return isinstance(json.loads(files.get("manifest.json", b"")), dict)
    except ValueError:
        return False


def of_answer(data: bytes) -> None:
    class Odd(ReaderServer):
        def answer(self, call: Call) -> Answer:
            return Answer(body=data)

    with Odd().running() as server, reader(server):
        chosen = options()
        assert chosen is not None
        assert asking.ask(QUESTION, chosen, seconds=20).requests


@st.composite
def bundles(draw: st.DrawFn) -> tuple[dict[str, bytes], bytes]:
    """The files of a genuine bundle with one altered, and the zip with some bytes replaced."""
    whole = sample(4).bundle()
    files = unzip(whole)
    name = draw(st.sampled_from(sorted(files)))
    at = draw(st.integers(0, max(0, len(files[name]) - 1)))
    inserted = draw(octets | json_values.map(lambda value: json.dumps(value).encode()))
    length = draw(st.sampled_from((0, 1, 10, len(files[name]))))
    files[name] = files[name][:at] + inserted + files[name][at + length :]
    if draw(st.booleans()):
        del files[draw(st.sampled_from(sorted(files)))]
    place = draw(st.integers(0, len(whole)))
    return files, whole[:place] + draw(st.binary(max_size=20)) + whole[place + 1 :]


_twilio = [dict(parse_qsl(path.read_text().strip())) for path in sorted((FIXTURES / "twilio").glob("*.txt"))]
twilio_values = st.builds(
    lambda values, changes: {**values, **changes},
    st.sampled_from(_twilio),
    st.dictionaries(st.sampled_from(sorted({key for values in _twilio for key in values})), texts, max_size=4),
)
written = st.tuples(texts, sides)
#: What holds each promise: the function that checks it, and what it is given.
TARGETS: dict[str, tuple[Callable[[Any], None], st.SearchStrategy[Any]]] = {
    "channels/email/addresses:addresses": (of_address, texts),
    "channels/email/addresses:first_address": (of_address, texts),
    "channels/email/html_text:read_html": (of_html, texts),
    "channels/email/inbound:read_mail": (of_mail, raw_mails),
    "channels/email/inbound:envelope_of": (lambda raw: inbound.envelope_of(raw) and None, raw_mails),
    "channels/email/mime_text:": (of_words, raw_mails),
    "channels/email/structure:get_payload": (of_structure, raw_mails),
    "channels/email/structure:read": (of_structure, raw_mails),
    "channels/twilio/inbound:events": (of_twilio, twilio_values),
    "channels/whatsapp/events:of": (of_whatsapp, altered(payloads("whatsapp")) | json_values),
    "detection/__init__:scan": (of_text(detection.scan), written),
    "detection/__init__:read_thread": (of_talk(detection.read_thread), talks),
    "detection/__init__:read_message": (of_talk(detection.read_message), talks),
    "detection/__init__:read_others": (of_note(detection.read_others), texts),
    "detection/engine:scan": (of_text(engine.scan), written),
    "detection/files/documents:read_text": (lambda data: documents.read_text(data) and None, octets),
    "detection/segments/__init__:": (of_segments, written),
    "detection/segments/__init__:segments": (of_segments, written),
    "detection/text/charsets:": (of_charset, st.tuples(octets, st.text(max_size=30))),
    "detection/text/normalise:normalise": (of_normalised, texts),
    "detection/threads:read_message": (of_talk(threads.read_message), talks),
    "detection/threads:read_others": (of_note(threads.read_others), texts),
    "detection/threads:read_thread": (of_talk(threads.read_thread), talks),
    "proof/bundle:verify_bundle": (of_bundle, bundles()),
    "reading/asking:ask": (of_answer, octets | json_values.map(lambda value: json.dumps(value).encode())),
}


def test_each_promise_is_held() -> None:
    assert set(promises()) == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_it_never_raises(name: str) -> None:
    check, inputs = TARGETS[name]

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(inputs)
    def run(data: Any) -> None:
        check(data)

    run()
