"""Named manipulations of a sealed record by somebody who is master of the database, past the triggers.

Each takes a :class:`Scene`, alters the database, and gives the words by which the report must locate it. The scene: 12
messages with an event each in three seals; ``scene.victim`` is the sixth message, ``scene.other`` the ninth.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, models

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.ledger import triggers
from crm_contact_guard.ledger.models import Attachment, Conversation, ErasurePermit, Event, Message, Pending
from crm_contact_guard.ledger.record import event_open_values, message_open_values
from crm_contact_guard.ledger.sealed import Seal, Tile, TreeHead
from crm_contact_guard.ledger.tree import ENTRY, tile_id
from crm_contact_guard.proof import canonical
from crm_contact_guard.proof.merkle import Frontier
from crm_contact_guard.proof.notes import Checkpoint, SigningKey
from tests.ledger import rows

Words = list[str]

#: For tests that tamper: dropping a trigger ends the transaction on MariaDB.
needs_database = pytest.mark.django_db(transaction=settings.DATABASES["default"]["ENGINE"].endswith("mysql"))


@dataclass
class Scene:
    """The rows a manipulation works on."""

    talk: Conversation
    messages: list[Message]

    @property
    def victim(self) -> Message:
        return self.messages[5]

    @property
    def other(self) -> Message:
        return self.messages[8]

    def event(self, about: Message) -> Event:
        return Event.objects.get(message=about)


MANIPULATIONS: dict[str, Callable[[Scene], Words]] = {}


def manipulation(act: Callable[[Scene], Words]) -> Callable[[Scene], Words]:
    MANIPULATIONS[act.__name__] = act
    return act


@contextmanager
def past_the_triggers() -> Any:
    """The superuser's way: without triggers, and back as if nothing had been."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            yield
            cursor.execute("SET session_replication_role = DEFAULT")
        return
    triggers.remove(connection)
    with connection.constraint_checks_disabled():
        yield
    triggers.install(connection)


def update(row: models.Model, **values: Any) -> None:
    with past_the_triggers():
        models.QuerySet(type(row)).filter(pk=row.pk).update(**values)


def delete(row: models.Model) -> None:
    with past_the_triggers():
        models.QuerySet(type(row)).filter(pk=row.pk)._raw_delete(using="default")


def named(row: Message | Event) -> str:
    return f"{row._meta.model_name} {row.pk} of {row.occurred_at:%Y-%m-%d %H:%M}"


def _field(name: str, value: Any) -> Callable[[Scene], Words]:
    def act(scene: Scene) -> Words:
        update(scene.victim, **{name: value})
        return [named(scene.victim), f"{name} differs from what was sealed"]

    return act


for _name, _value in {
    "text": "Good morning", "subject": "Another", "quoted": "You wrote", "from_name": "Somebody",
    "from_address": "other@example.com", "to_name": "Mei", "to_address": "mei@example.com", "details": '{"a":1}',
}.items():  # fmt: skip
    MANIPULATIONS[f"edit_{_name}"] = _field(_name, _value)


def _open(name: str, value: Callable[[Scene], Any]) -> Callable[[Scene], Words]:
    def act(scene: Scene) -> Words:
        update(scene.victim, **{name: value(scene)})
        return [f"message {scene.victim.pk}", "ids, times, codes or digests differ from what was sealed"]

    return act


for _name, _change in {
    "occurred_at": lambda scene: scene.victim.recorded_at,
    "recorded_at": lambda scene: scene.victim.occurred_at,
    "direction": lambda scene: "outbound",
    "channel": lambda scene: "email",
    "kind": lambda scene: "call",
    "tenant": lambda scene: "elsewhere",
    "carrier_id": lambda scene: "x-1",
    "source": lambda scene: "backfill",
    "reply_to": lambda scene: scene.other.pk,
    "employee": lambda scene: scene.talk.employee_id,
}.items():
    MANIPULATIONS[f"edit_{_name}"] = _open(_name, _change)


@manipulation
def move_to_another_conversation(scene: Scene) -> Words:
    update(scene.victim, conversation=rows.factories.conversation(None, name="Taro Ito"))
    return [f"message {scene.victim.pk}", "differ from what was sealed"]


@manipulation
def edit_one_character_case(scene: Scene) -> Words:
    update(scene.victim, from_name="Hanako sato")
    return [named(scene.victim), "from_name differs"]


@manipulation
def append_a_space_to_the_text(scene: Scene) -> Words:
    update(scene.victim, text=f"{scene.victim.text} ")
    return [named(scene.victim), "text differs"]


@manipulation
def shift_time_by_a_microsecond(scene: Scene) -> Words:
    from datetime import timedelta

    update(scene.victim, occurred_at=scene.victim.occurred_at + timedelta(microseconds=1))
    return [f"message {scene.victim.pk}", "differ from what was sealed"]


@manipulation
def edit_text_with_fresh_digests(scene: Scene) -> Words:
    """The forger knows the format: digests fit the new text, the leaf hash is the sealed one."""
    _forge(scene.victim, text="Good morning", keep_leaf_hash=True)
    return [named(scene.victim), "digests differ from what was sealed"]


@manipulation
def edit_text_with_fresh_digests_and_leaf_hash(scene: Scene) -> Words:
    _forge(scene.victim, text="Good morning")
    return [named(scene.victim), "digests differ from what was sealed"]


@manipulation
def edit_text_and_its_leaf_in_the_tile(scene: Scene) -> Words:
    """The whole tree is made anew, except what needs the key."""
    _forge(scene.victim, text="Good morning")
    _rebuild()
    return ["leaves 8 to 15", "does not have the root that was signed"]


@manipulation
def edit_text_and_sign_with_another_key(scene: Scene) -> Words:
    _forge(scene.victim, text="Good morning")
    _rebuild(SigningKey.generate("kaede.example/contact-guard"))
    return ["checkpoint of 8 leaves", "no signature is from a known key"]


@manipulation
def empty_a_text_without_an_erasure(scene: Scene) -> Words:
    update(scene.victim, text=None)
    return [named(scene.victim), "text emptied without a recorded erasure"]


@manipulation
def erase_a_row_without_an_erasure(scene: Scene) -> Words:
    update(scene.victim, salt=None, **dict.fromkeys(canonical.MESSAGE_PERSONAL))
    return [named(scene.victim), "subject and text and from_name and from_address and to_name and details emptied"]


@manipulation
def fill_a_field_that_was_empty(scene: Scene) -> Words:
    update(scene.victim, quoted="")
    return [named(scene.victim), "quoted differs"]


@manipulation
def remove_the_salt(scene: Scene) -> Words:
    update(scene.victim, salt=None)
    return [named(scene.victim), "salt was removed"]


@manipulation
def change_the_salt(scene: Scene) -> Words:
    update(scene.victim, salt=bytes(144))
    return [named(scene.victim), "differ from what was sealed"]


@manipulation
def change_the_leaf_hash(scene: Scene) -> Words:
    update(scene.victim, leaf_hash=bytes(32))
    return [named(scene.victim), "its own leaf hash differs"]


@manipulation
def delete_a_message(scene: Scene) -> Words:
    delete(scene.event(scene.victim))
    delete(scene.victim)
    return [f"message {scene.victim.pk} (leaf ", "is gone"]


@manipulation
def delete_an_event(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    delete(event)
    return [f"event {event.pk} (leaf ", "is gone"]


@manipulation
def delete_the_newest_rows(scene: Scene) -> Words:
    for row in scene.messages[-2:]:
        delete(scene.event(row))
        delete(row)
    return [f"message {scene.messages[-1].pk} (leaf ", f"message {scene.messages[-2].pk} (leaf "]


@manipulation
def delete_a_message_that_waits(scene: Scene) -> Words:
    waiting = rows.message(scene.talk)
    delete(waiting)
    return [f"message {waiting.pk}", "was noted for sealing and is gone"]


@manipulation
def edit_a_message_that_waits(scene: Scene) -> Words:
    waiting = rows.message(scene.talk)
    update(waiting, text="changed before sealing")
    return [named(waiting), "waits for sealing; text differs"]


@manipulation
def edit_an_event(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    update(event, kind="delivery.failed")
    return [f"event {event.pk}", "differ from what was sealed"]


@manipulation
def edit_an_events_data(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    update(event, data='{"by":"nobody"}')
    return [f"event {event.pk}", "differ from what was sealed"]


@manipulation
def edit_an_events_reason(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    update(event, reason="something else")
    return [named(event), "reason differs"]


@manipulation
def blame_another_actor(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    update(event, actor_type="employee", actor=str(scene.talk.employee_id))
    return [f"event {event.pk}", "differ from what was sealed"]


@manipulation
def hang_an_event_on_another_message(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    update(event, message=scene.other)
    return [f"event {event.pk}", "differ from what was sealed"]


@manipulation
def swap_two_texts(scene: Scene) -> Words:
    first, second = scene.victim, scene.other
    update(first, text=second.text)
    update(second, text=first.text)
    return [named(first), named(second), "text differs"]


@manipulation
def swap_two_rows_with_all_they_hold(scene: Scene) -> Words:
    """Everything but the ids changes places, digests and leaf hashes too."""
    first, second = scene.victim, scene.other
    names = [field.attname for field in Message._meta.concrete_fields if field.attname != "id"]
    ours, theirs = ({name: getattr(row, name) for name in names} for row in (first, second))
    update(first, **theirs)
    update(second, **ours)
    return [f"message {first.pk}", f"message {second.pk}", "differ from what was sealed"]


@manipulation
def renumber_a_message(scene: Scene) -> Words:
    event, fresh = scene.event(scene.victim), uuid7()
    delete(event)
    update(scene.victim, id=fresh)
    return [f"message {scene.victim.pk} (leaf ", "is gone", f"message {fresh} of", "has no leaf"]


@manipulation
def slip_in_a_message_past_the_triggers(scene: Scene) -> Words:
    with past_the_triggers():
        slipped = rows.message(scene.talk, "I never wrote this")
    return [named(slipped), "has no leaf and does not wait for one"]


@manipulation
def slip_in_an_event_past_the_triggers(scene: Scene) -> Words:
    with past_the_triggers():
        slipped = rows.event(scene.victim, "delivery.read")
    return [named(slipped), "has no leaf"]


@manipulation
def double_a_message(scene: Scene) -> Words:
    copy = Message.objects.get(pk=scene.victim.pk)
    copy.pk = uuid7()
    with past_the_triggers():
        copy.save(force_insert=True)
    return [f"message {copy.pk} of", "has no leaf"]


@manipulation
def double_a_message_for_the_sealer(scene: Scene) -> Words:
    """The copy keeps the digests of the original and is sealed as an honest row would be."""
    from crm_contact_guard.ledger.sealing import seal

    copy = Message.objects.get(pk=scene.victim.pk)
    copy.pk = uuid7()
    copy.save(force_insert=True)
    seal()
    return [f"message {copy.pk} of", "differ from what was sealed"]


@manipulation
def slip_in_a_backdated_message_for_the_sealer(scene: Scene) -> Words:
    """Perfect in itself, only that it claims a time at which it was not sealed."""
    from datetime import timedelta

    from crm_contact_guard.ledger.sealing import seal

    forged = Message.objects.get(pk=scene.victim.pk)
    forged.pk = uuid7()
    forged.recorded_at -= timedelta(days=90)
    forged.occurred_at -= timedelta(days=90)
    forged.salt = canonical.new_salt(canonical.MESSAGE_PERSONAL)
    _fit(forged)
    forged.save(force_insert=True)
    seal()
    return [named(forged), "claims a time of recording at which it was not sealed"]


@manipulation
def seal_a_message_twice(scene: Scene) -> Words:
    from crm_contact_guard.ledger.sealing import seal

    Pending.objects.create(row_kind="message", row_id=scene.victim.pk, leaf_hash=scene.victim.leaf_hash)
    seal()
    return [f"message {scene.victim.pk} of", "was sealed 2 times"]


@manipulation
def note_a_sealed_message_again(scene: Scene) -> Words:
    Pending.objects.create(row_kind="message", row_id=scene.victim.pk, leaf_hash=scene.victim.leaf_hash)
    return [f"message {scene.victim.pk} of", "is sealed and waits to be sealed again"]


@manipulation
def drop_a_note(scene: Scene) -> Words:
    waiting = rows.message(scene.talk)
    Pending.objects.all().delete()
    return [named(waiting), "has no leaf and does not wait for one"]


@manipulation
def note_a_row_that_never_was(scene: Scene) -> Words:
    ghost = uuid7()
    Pending.objects.create(row_kind="event", row_id=ghost, leaf_hash=bytes(32))
    return [f"event {ghost}", "was noted for sealing and is gone"]


@manipulation
def alter_a_notes_hash(scene: Scene) -> Words:
    waiting = rows.message(scene.talk)
    Pending.objects.update(leaf_hash=bytes(32))
    return [f"message {waiting.pk}", "waits for sealing; "]


@manipulation
def alter_a_leaf_in_its_tile(scene: Scene) -> Words:
    _rewrite_tile(lambda hashes: bytes(32) + hashes[32:])
    first = UUID(bytes=bytes(Seal.objects.get(size=8).rows)[1:ENTRY])
    return [f" {first} of", "differ from what was sealed", "leaves 0 to 7", "does not have the root that was signed"]


@manipulation
def swap_two_leaves_with_their_rows(scene: Scene) -> Words:
    _rewrite_tile(lambda hashes: hashes[32:64] + hashes[:32] + hashes[64:])
    seal = Seal.objects.get(size=8)
    held = bytes(seal.rows)
    Seal.objects.filter(size=8).update(rows=held[ENTRY : 2 * ENTRY] + held[:ENTRY] + held[2 * ENTRY :])
    return ["leaves 0 to 7", "does not have the root that was signed"]


@manipulation
def drop_the_last_leaf(scene: Scene) -> Words:
    """Row, leaf, and the sizes that tell of it."""
    seal = Seal.objects.get(size=24)
    held = bytes(seal.rows)
    kind, row_id = held[-ENTRY:-16], UUID(bytes=held[-16:])
    for event in Event.objects.filter(pk=row_id) if kind == b"e" else Event.objects.filter(message=row_id):
        delete(event)
    for message in Message.objects.filter(pk=row_id):
        delete(message)
    moments = [int.from_bytes(held[at : at + 6], "big") for at in range(1, len(held) - ENTRY, ENTRY)]
    Seal.objects.filter(size=24).update(size=23, rows=held[:-ENTRY], last_ms=max(moments), first_ms=min(moments))
    _rewrite_tile(lambda hashes: hashes[:-32])
    TreeHead.objects.update(size=23, frontier=_frontier(23).to_bytes())
    return ["leaves 16 to 22", "does not have the root that was signed"]


@manipulation
def drop_a_tile(scene: Scene) -> Words:
    Tile.objects.all().delete()
    return ["tile 0/000 has 0 bytes", "differ from what was sealed"]


@manipulation
def shorten_a_tile(scene: Scene) -> Words:
    _rewrite_tile(lambda hashes: hashes[: 20 * 32])
    return ["tile 0/000 has 640 bytes, 768 are needed"]


@manipulation
def drop_a_seal(scene: Scene) -> Words:
    Seal.objects.filter(size=16).delete()
    return ["leaves 8 to 15", "the seal that lists their rows is gone", f"message {scene.victim.pk} of", "has no leaf"]


@manipulation
def drop_all_seals(scene: Scene) -> Words:
    Seal.objects.all().delete()
    return ["seals", "all are gone"]


@manipulation
def name_another_row_in_a_seal(scene: Scene) -> Words:
    seal = Seal.objects.get(size=16)
    Seal.objects.filter(size=16).update(rows=bytes(seal.rows)[:-ENTRY] + bytes(seal.rows)[:ENTRY])
    return ["was sealed 2 times", "differ from what was sealed", "has no leaf"]


@manipulation
def misdirect_the_index_of_ids(scene: Scene) -> Words:
    Seal.objects.filter(size=16).update(first_ms=0, last_ms=0)
    return ["leaves 8 to 15", "the seal's index of row ids was altered"]


@manipulation
def slip_in_a_seal(scene: Scene) -> Words:
    seal = Seal.objects.get(size=16)
    seal.size = 13
    seal.save(force_insert=True)
    return ["seal of 13 leaves", "slipped in"]


@manipulation
def set_the_head_back(scene: Scene) -> Words:
    TreeHead.objects.update(size=16, frontier=_frontier(16).to_bytes())
    return ["tree head", "says 16 leaves, seals end at 24"]


@manipulation
def drop_the_head(scene: Scene) -> Words:
    TreeHead.objects.all().delete()
    return ["tree head", "is gone"]


@manipulation
def alter_the_heads_hashes(scene: Scene) -> Words:
    frontier = _frontier(24).to_bytes()
    TreeHead.objects.update(frontier=frontier[:8] + bytes(32) + frontier[40:])
    return ["tree head", "its hashes are not those of the tree"]


@manipulation
def rename_the_record(scene: Scene) -> Words:
    TreeHead.objects.update(origin="other.example/contact-guard")
    return ["checkpoint of 24 leaves", "is of kaede.example/contact-guard, not of other.example"]


@manipulation
def alter_a_checkpoint(scene: Scene) -> Words:
    seal = Seal.objects.get(size=16)
    Seal.objects.filter(size=16).update(checkpoint=seal.checkpoint.replace("\n16\n", "\n15\n"))
    return ["checkpoint of 16 leaves", "does not fit the text"]


@manipulation
def put_an_older_checkpoint_over_a_newer(scene: Scene) -> Words:
    Seal.objects.filter(size=24).update(checkpoint=Seal.objects.get(size=16).checkpoint)
    return ["leaves 16 to 23", "does not have the root that was signed"]


@manipulation
def remove_a_signature(scene: Scene) -> Words:
    seal = Seal.objects.get(size=16)
    Seal.objects.filter(size=16).update(checkpoint=seal.checkpoint.partition("\n\n")[0] + "\n")
    return ["checkpoint of 16 leaves", "the note has no signatures"]


@manipulation
def drop_a_trigger(scene: Scene) -> Words:
    on = " ON crm_contact_guard_message" if connection.vendor == "postgresql" else ""
    connection.cursor().execute(f"DROP TRIGGER contact_guard_message_update{on}")
    return ["trigger contact_guard_message_update", "is missing or disabled"]


@manipulation
def leave_an_erasure_permit_open(scene: Scene) -> Words:
    ErasurePermit.objects.create(row_id=scene.victim.pk)
    return [f"row {scene.victim.pk}", "an erasure permit was left open"]


@manipulation
def drop_an_attachment(scene: Scene) -> Words:
    digest = sha256(b"photo").hexdigest()
    files = [{"name": "a.jpg", "type": "image/jpeg", "size": 5, "sha256": digest, "kind": "attachment"}]
    message = rows.message(scene.talk, files=files)
    from crm_contact_guard.ledger.sealing import seal

    seal()
    assert not Attachment.objects.exists()
    return [f"files of message {message.pk}", "differ from the list that was sealed"]


def _forge(row: Message, *, keep_leaf_hash: bool = False, **values: Any) -> None:
    forged = Message.objects.get(pk=row.pk)
    for name, value in values.items():
        setattr(forged, name, value)
    leaf_hash = forged.leaf_hash
    _fit(forged)
    if keep_leaf_hash:
        forged.leaf_hash = leaf_hash
    update(row, digests=forged.digests, leaf_hash=forged.leaf_hash, **values)


def _fit(row: Message) -> None:
    names = canonical.MESSAGE_PERSONAL
    row.digests = canonical.personal_digests(
        names, bytes(row.salt or b""), {name: getattr(row, name) for name in names}
    )
    row.leaf_hash = canonical.leaf_hash(canonical.leaf_bytes("message", message_open_values(row), bytes(row.digests)))


def _leaf_hash(entry: bytes) -> bytes:
    if entry[:1] == b"m":
        message = Message.objects.get(pk=UUID(bytes=entry[1:]))
        return canonical.leaf_hash(
            canonical.leaf_bytes("message", message_open_values(message), bytes(message.digests))
        )
    event = Event.objects.get(pk=UUID(bytes=entry[1:]))
    return canonical.leaf_hash(canonical.leaf_bytes("event", event_open_values(event), bytes(event.digests)))


def _rebuild(key: SigningKey | None = None) -> None:
    """Tile, head and (with a key) checkpoints for the rows as they now stand."""
    frontier, tile, origin = Frontier(), b"", TreeHead.objects.get().origin
    for seal in Seal.objects.order_by("size"):
        held = bytes(seal.rows)
        hashes = b"".join(_leaf_hash(held[at : at + ENTRY]) for at in range(0, len(held), ENTRY))
        frontier.append(hashes)
        tile += hashes
        if key is not None:
            checkpoint = Checkpoint(origin, frontier.size, frontier.root()).sign(key)
            Seal.objects.filter(pk=seal.pk).update(checkpoint=checkpoint)
    _rewrite_tile(lambda _: tile)
    TreeHead.objects.update(frontier=frontier.to_bytes())


def _rewrite_tile(change: Callable[[bytes], bytes]) -> None:
    tile = Tile.objects.get(pk=tile_id(0, 0))
    Tile.objects.filter(pk=tile.pk).update(hashes=change(bytes(tile.hashes)))


def _frontier(size: int) -> Frontier:
    frontier = Frontier()
    frontier.append(bytes(Tile.objects.get(pk=tile_id(0, 0)).hashes)[: size * 32])
    return frontier
