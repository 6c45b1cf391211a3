"""Forgeries of a bundle's files, each with the text that must report it."""

import hashlib
import json
from collections.abc import Callable

from tests.proof.bundles import Record, lines, message, unzip

Files = dict[str, bytes]

# Forgeries without the signing key, each expected to be reported by one of the reasons.
Forgery = tuple[Callable[[Files], Files], str]


def edit(name: str, old: str, new: str) -> Callable[[Files], Files]:
    def forge(files: Files) -> Files:
        assert old in files[name].decode()
        return {**files, name: files[name].decode().replace(old, new, 1).encode()}

    return forge


def reorder(name: str, pick: Callable[[list[bytes]], list[bytes]]) -> Callable[[Files], Files]:
    return lambda files: {**files, name: b"".join(pick(lines(files, name)))}


def swap(of: list[bytes]) -> list[bytes]:
    return [of[1], of[0], *of[2:]]


def exchange_texts(files: Files) -> Files:
    """Swap the texts of two messages, with their salts and digests."""
    rows = [json.loads(line) for line in lines(files, "messages.jsonl")]
    one, other = rows[3], rows[5]
    one["text"], other["text"] = other["text"], one["text"]
    for part in ("salts", "digests"):
        one["proof"][part]["text"], other["proof"][part]["text"] = (
            other["proof"][part]["text"],
            one["proof"][part]["text"],
        )
    return {**files, "messages.jsonl": b"".join(dump(row) for row in rows)}


def renumber(files: Files) -> Files:
    rows = [json.loads(line) for line in lines(files, "messages.jsonl")]
    rows[3]["proof"]["index"], rows[4]["proof"]["index"] = rows[4]["proof"]["index"], rows[3]["proof"]["index"]
    rows[3], rows[4] = rows[4], rows[3]
    return {**files, "messages.jsonl": b"".join(dump(row) for row in rows)}


def reseal_text(files: Files) -> Files:
    """A new text with a matching digest: only the leaf hash reveals it."""
    rows = [json.loads(line) for line in lines(files, "messages.jsonl")]
    rows[2]["text"] = "そのような約束はしていません"
    salt = bytes.fromhex(rows[2]["proof"]["salts"]["text"])
    rows[2]["proof"]["digests"]["text"] = hashlib.sha256(b"\x02" + salt + rows[2]["text"].encode()).hexdigest()
    return {**files, "messages.jsonl": b"".join(dump(row) for row in rows)}


def hide_row(files: Files) -> Files:
    """Remove row 2 and make its part look like a hidden leaf."""
    parts = lines(files, "proofs.jsonl")
    parts[4] = parts[4].replace(b',"row":"message"', b"")
    return {
        **files,
        "proofs.jsonl": b"".join(parts),
        "messages.jsonl": b"".join(drop(2)(lines(files, "messages.jsonl"))),
    }


def foreign_leaf(files: Files) -> Files:
    """An invented message with its own leaf in the proofs."""
    other = unzip(Record().add(*(message(90 + number) for number in range(30))).bundle())
    parts = lines(files, "proofs.jsonl")
    invented = json.loads(lines(other, "proofs.jsonl")[24])
    rows = [*lines(files, "messages.jsonl"), lines(other, "messages.jsonl")[24]]
    return {**files, "messages.jsonl": b"".join(rows), "proofs.jsonl": b"".join([*parts, dump(invented)])}


def drop(at: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda of: [*of[:at], *of[at + 1 :]]


def dump(row: object) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


M, E, P = "messages.jsonl", "events.jsonl", "proofs.jsonl"
ID = "0192f0a0-0000-7000-8000-00000000000"
EVENT = "event 0192f0a0-0000-7000-8000-e0000000000"
LIVE = '"source":"live"'
UNCANONICAL = "messages.jsonl line 1: is not written canonically"


def at(number: int) -> str:
    return f"message {ID}{number} of 2026-11-24 09:{number:02d}: "


def with_index(row: bytes, index: int) -> bytes:
    members = json.loads(row)
    members["proof"]["index"] = index
    return dump(members)


def without_content(of: list[bytes]) -> list[bytes]:
    members = json.loads(of[0])
    members["proof"]["content"] = None
    return [dump(members), *of[1:]]


def widen(of: list[bytes]) -> list[bytes]:
    return [of[0], of[1].replace(b'"width":1', b'"width":2').replace(b',"row":"event"', b"")]


ROW_FORGERIES: dict[str, Forgery] = {
    "text edited": (edit(M, "お部屋 3 の件です", "お部屋 3 の件でず"), at(3) + "text differs"),
    "text edited and its digest too": (reseal_text, at(2) + "its ids, times, codes or digests"),
    "sender edited": (edit(M, "+81312345678", "+81312345679"), "from_address differs from what was sealed"),
    "sender's name edited": (edit(M, "佐藤", "鈴木"), "from_name differs"),
    "name and address exchanged": (
        edit(M, '"from_name":"佐藤","from_address":"+81312345678"', '"from_name":"+81312345678","from_address":"佐藤"'),
        "from_name and from_address differ",
    ),
    "subject edited": (edit(M, "件名", "作名"), "subject differs"),
    "attachment list edited": (edit(M, '"files":"[]"', '"files":"[{}]"'), "files differs"),
    "time edited": (edit(M, "09:03:00.123456Z", "09:03:00.123457Z"), at(3) + "its ids, times"),
    "day edited": (edit(M, "2026-11-24T09:04:00.2", "2026-11-23T09:04:00.2"), f"message {ID}4"),
    "direction edited": (edit(M, "outbound", "inbound"), at(1) + "its ids, times, codes"),
    "id edited": (edit(M, f'{ID}5"', f'{ID}6"'), "its ids, times, codes or digests differ"),
    "channel emptied": (edit(M, '"channel":"sms"', '"channel":null'), f"message {ID}0"),
    "employee filled in": (edit(M, '"employee":null', '"employee":"e-1"'), f"message {ID}0"),
    "salt edited": (edit(M, '"salts":{"subject":"', '"salts":{"subject":"00'), "messages.jsonl line 1: has a proof"),
    "digest edited": (
        edit(M, '"digests":{"subject":"', '"digests":{"subject":"00'),
        "messages.jsonl line 1: has a proof",
    ),
    "content digest removed": (reorder(M, without_content), f"message {ID}0"),
    "event edited": (edit(E, '\\"attempt\\":1', '\\"attempt\\":2'), EVENT + "0 of"),
    "event's kind edited": (edit(E, "delivery.sent", "delivery.failed"), EVENT + "0 of"),
    "reason edited": (edit(E, "急病のため", "私用のため"), EVENT + "1 of 2026-11-24 09:01: reason differs"),
    "message dropped": (reorder(M, drop(3)), "leaf 6: message is not in messages.jsonl"),
    "first message dropped": (reorder(M, drop(0)), "leaf 0: message is not in"),
    "last message dropped": (reorder(M, lambda of: of[:-1]), "leaf 22: message is not in"),
    "event dropped": (reorder(E, drop(1)), "leaf 3: event is not in events.jsonl"),
    "all messages dropped": (reorder(M, lambda of: []), "leaf 0: message is not in"),
    "message doubled": (reorder(M, lambda of: [*of[:4], of[3], *of[4:]]), at(3) + "stands at leaf 6 after leaf 6"),
    "message doubled at the end": (reorder(M, lambda of: [*of, of[3]]), at(3) + "stands at leaf 6 after leaf 22"),
    "lines swapped": (reorder(M, swap), at(0) + "stands at leaf 0 after leaf 2"),
    "texts of two messages exchanged": (exchange_texts, at(3) + "its ids"),
    "places of two messages exchanged": (renumber, at(4) + "its ids"),
    "message added beyond the tree": (
        reorder(M, lambda of: [*of, with_index(of[-1], 24)]),
        "is not in the record at leaf 24: it was added",
    ),
    "message added at an event's leaf": (
        reorder(M, lambda of: [*of[:3], with_index(of[3], 5), *of[3:]]),
        "is not in the record at leaf 5: it was added or moved",
    ),
    "message moved among the events": (
        lambda files: {**files, E: files[E] + lines(files, M)[0]},
        "events.jsonl line 13: is no event",
    ),
    "member doubled": (edit(M, LIVE, '"source":"live","source":"live"'), "messages.jsonl line 1: is not JSON"),
    "member added": (edit(M, LIVE, '"note":"","source":"live"'), "messages.jsonl line 1: is no message of format 1"),
    "spaces added": (edit(M, LIVE, '"source": "live"'), UNCANONICAL),
    "number for text": (edit(M, LIVE, '"source":1'), "messages.jsonl line 1: has a value that is not text"),
    "no JSON": (reorder(M, lambda of: [b"{\n", *of]), "messages.jsonl line 1: is not JSON"),
    "deep JSON": (reorder(M, lambda of: [b"[" * 100_000 + b"\n", *of]), "messages.jsonl line 1: is not JSON"),
    "another format": (edit(M, '"format":1', '"format":2'), "messages.jsonl line 1: is no message of format 1"),
    "negative index": (edit(M, '"index":0', '"index":-1'), "messages.jsonl line 1: has no leaf index"),
    "index as a boolean": (edit(M, '"index":0', '"index":false'), "messages.jsonl line 1: has no leaf index"),
    "lone surrogate": (edit(M, LIVE, '"source":"\\ud800"'), UNCANONICAL),
    "tab in an open value": (edit(M, LIVE, '"source":"\\t"'), "source holds a tab or a line break"),
    "last line cut": (lambda files: {**files, M: files[M][:-1]}, "messages.jsonl has a line 12 that does not end"),
}


PROOF_FORGERIES: dict[str, Forgery] = {
    "leaf hash edited": (edit(P, '"hash":"', '"hash":"0'), "proofs.jsonl"),
    "part dropped": (reorder(P, drop(2)), "proofs.jsonl line 3: does not go on at leaf 2"),
    "part doubled": (reorder(P, lambda of: [of[0], *of]), "proofs.jsonl line 2: does not go on at leaf 1"),
    "parts swapped": (reorder(P, swap), "proofs.jsonl line 1: does not go on at leaf 0"),
    "last part dropped": (reorder(P, lambda of: of[:-1]), "proofs.jsonl: covers 23 leaves of 24"),
    "part added": (
        reorder(P, lambda of: [*of, of[-1].replace(b"23", b"24", 1)]),
        "proofs.jsonl: covers 25 leaves of 24",
    ),
    "width that does not fit": (reorder(P, widen), "does not go on at leaf 1"),
    "width zero": (reorder(P, lambda of: [of[0].replace(b'"width":1', b'"width":0')]), "is not a part of a tree"),
    "all dropped": (reorder(P, lambda of: []), "proofs.jsonl: covers 0 leaves of 24"),
    "invented row with its own leaf": (foreign_leaf, "proofs.jsonl: covers 25 leaves of 24"),
}
