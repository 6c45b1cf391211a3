"""Leaf format 1: golden vectors, an independent implementation, and freedom from collisions."""

import hashlib
import json
import struct
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_contact_guard.proof import canonical as c
from crm_contact_guard.proof.errors import NotCanonical

VECTORS = json.loads((Path(__file__).parent / "vectors" / "leaf-format-1.json").read_text("utf-8"))["rows"]


def leaf_by_the_book(kind: str, open_values: dict, personal: dict, salt: bytes) -> bytes:
    """docs/decisions/0001-leaf-format.md implemented independently of the product's code."""
    order = {
        "message": (
            "id tenant conversation customer employee direction channel kind occurred_at recorded_at"
            " carrier_id reply_to source",
            "subject text quoted from_name from_address to_name to_address details files",
        ),
        "event": (
            "id tenant kind subject_type subject_id conversation message actor_type actor occurred_at recorded_at data",
            "reason details",
        ),
    }
    opens, personals = (names.split() for names in order[kind])
    out = f"crm_contact_guard/1/{kind}\n".encode()
    for name in opens:
        out += (open_values[name] if open_values[name] is not None else "\t").encode("utf-8") + b"\n"
    lengths, run = [], b""
    for index, name in enumerate(personals):
        value = personal[name]
        if value is None:
            out += b"\x00" * 32
            lengths.append("")
            continue
        out += hashlib.sha256(b"\x02" + salt[index * 16 : index * 16 + 16] + value.encode("utf-8")).digest()
        lengths.append(str(len(value.encode("utf-8"))))
        run += value.encode("utf-8")
    if not any(lengths):
        return out + b"\x00" * 32
    return out + hashlib.sha256(b"\x03" + salt + ",".join(lengths).encode() + b":" + run).digest()


@pytest.mark.parametrize("row", VECTORS, ids=[row["title"] for row in VECTORS])
def test_golden_vectors_give_the_same_bytes(row: dict) -> None:
    salt = bytes.fromhex(row["salt"])
    digests = c.personal_digests(c.PERSONAL[row["kind"]], salt, row["personal"])
    leaf = c.leaf_bytes(row["kind"], row["open"], digests)
    assert digests.hex() == row["digests"]
    assert leaf.hex() == row["leaf"]
    assert c.leaf_hash(leaf).hex() == row["leaf_hash"]
    assert leaf_by_the_book(row["kind"], row["open"], row["personal"], salt) == leaf


def test_vectors_are_all_different() -> None:
    assert len({row["leaf_hash"] for row in VECTORS}) == len(VECTORS)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
OPEN_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n"), max_size=20)


@given(st.data(), st.sampled_from(["message", "event"]))
def test_agrees_with_the_implementation_from_the_decision_record(data: st.DataObject, kind: c.RowKind) -> None:
    opens = {name: data.draw(st.none() | OPEN_TEXT) for name in c.OPEN[kind]}
    personal = {name: data.draw(st.none() | TEXT) for name in c.PERSONAL[kind]}
    salt = c.new_salt(c.PERSONAL[kind])
    digests = c.personal_digests(c.PERSONAL[kind], salt, personal)
    assert c.leaf_bytes(kind, opens, digests) == leaf_by_the_book(kind, opens, personal, salt)
    for index, name in enumerate(c.PERSONAL[kind]):
        own = c.field_salt(c.PERSONAL[kind], salt, name)
        assert c.field_digest(own, personal[name]) == digests[index * 32 : index * 32 + 32]
    assert digests[-32:] == c.content_digest(c.PERSONAL[kind], salt, personal)


@given(st.lists(st.none() | TEXT, min_size=2, max_size=2), st.lists(st.none() | TEXT, min_size=2, max_size=2))
def test_content_moved_between_fields_changes_the_content_digest(one: list, other: list) -> None:
    salt = bytes(32)
    first, second = (
        c.content_digest(c.EVENT_PERSONAL, salt, dict(zip(c.EVENT_PERSONAL, v, strict=True))) for v in (one, other)
    )
    assert (first == second) == (one == other)


def test_text_moved_into_the_next_field_changes_the_digest() -> None:
    salt = bytes(32)
    seen = {
        c.content_digest(c.EVENT_PERSONAL, salt, {"reason": reason, "details": details})
        for reason, details in [
            ("ab", "c"),
            ("a", "bc"),
            ("abc", ""),
            ("", "abc"),
            ("abc", None),
            (None, "abc"),
            ("1,2:abc", None),
        ]
    }
    assert len(seen) == 7


@pytest.mark.parametrize("breaker", ["\n", "\t", "a\nb", "x\t"])
@pytest.mark.parametrize("name", c.MESSAGE_OPEN)
def test_an_open_value_with_a_separator_is_refused_by_name(name: str, breaker: str) -> None:
    opens: dict[str, str | None] = dict.fromkeys(c.MESSAGE_OPEN)
    opens[name] = breaker
    with pytest.raises(NotCanonical, match=name):
        c.leaf_bytes("message", opens, bytes(320))


def test_message_and_event_leaves_have_different_domains() -> None:
    message = c.leaf_bytes("message", dict.fromkeys(c.MESSAGE_OPEN), bytes(320))
    event = c.leaf_bytes("event", dict.fromkeys(c.EVENT_OPEN), bytes(96))
    assert message.split(b"\n")[0] != event.split(b"\n")[0]


@pytest.mark.parametrize("size", [0, 32, 319, 321, 352])
def test_digests_of_the_wrong_size_are_refused(size: int) -> None:
    with pytest.raises(NotCanonical):
        c.leaf_bytes("message", dict.fromkeys(c.MESSAGE_OPEN), bytes(size))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_salt_of_the_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(NotCanonical):
        c.personal_digests(c.EVENT_PERSONAL, bytes(size), {"reason": "x", "details": None})
    with pytest.raises(NotCanonical):
        c.field_salt(c.EVENT_PERSONAL, bytes(size), "reason")


def test_a_field_salt_of_the_wrong_size_cannot_shift_bytes_into_the_value() -> None:
    with pytest.raises(NotCanonical):
        c.field_digest(bytes(15), "x")


def test_salts_are_fresh_and_cover_every_field() -> None:
    assert len(c.new_salt(c.MESSAGE_PERSONAL)) == 144
    assert c.new_salt(c.EVENT_PERSONAL) != c.new_salt(c.EVENT_PERSONAL)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 24, 9, 12, 0, 123456, UTC), "2026-11-24T09:12:00.123456Z"),
        (datetime(2026, 11, 24, 9, 12, tzinfo=UTC), "2026-11-24T09:12:00.000000Z"),
        (datetime(2026, 11, 24, 9, 12, 0, 100, timezone(timedelta(hours=9))), "2026-11-24T00:12:00.000100Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_times(moment: datetime, text: str) -> None:
    assert c.canonical_time(moment) == text


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(NotCanonical):
        c.canonical_time(datetime(2026, 11, 24))  # noqa: DTZ001 - naive is what is refused


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, False, None, -3]}, '{"a":[true,false,null,-3],"b":1}'),
        ('\x00\b\t\n\f\r\x1f"\\/\x7f\u2028é', '"\ufffd\\b\\t\\n\\f\\r\\u001f\\"\\\\/\x7f\u2028é"'),
        # RFC 8785 §3.2.3: by UTF-16 code units an astral character sorts before U+FB33.
        ({"\ufb33": 1, "😀": 2, "ö": 3, "1": 4}, '{"1":4,"ö":3,"😀":2,"\ufb33":1}'),
        (["\ud800x", "\ud83d\ude00"], '["\ufffdx","😀"]'),
        ((), "[]"),
    ],
)
def test_json(value: object, text: str) -> None:
    assert c.canonical_json(value) == text


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), 2**53, -(2**53), {1: 2}, {"a": b""}, {"\0": 1, "\ufffd": 2}, object()]
)
def test_json_that_would_not_survive_storage_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        c.canonical_json(value)


@given(st.text())
def test_canonical_text_can_always_be_stored_and_is_stable(value: str) -> None:
    clean = c.canonical_text(value)
    assert "\0" not in clean
    assert clean.encode().decode() == clean
    assert c.canonical_text(clean) == clean
    if "\0" not in value and not any(0xD800 <= ord(char) < 0xE000 for char in value):
        assert clean == value


def test_a_split_surrogate_pair_becomes_its_character() -> None:
    pair = struct.unpack("<2H", "🙂".encode("utf-16-le"))
    assert c.canonical_text("".join(map(chr, pair))) == "🙂"
