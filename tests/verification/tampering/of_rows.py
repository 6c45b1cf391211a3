"""Manipulations of recorded rows and of pending rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.proof import canonical
from crm_contact_guard.proof.notes import SigningKey
from crm_contact_guard.record.models import Message, Pending
from tests.record import rows
from tests.verification.tampering.scene import (
    MANIPULATIONS,
    Scene,
    Words,
    delete,
    fit,
    forge,
    manipulation,
    named,
    past_the_triggers,
    rebuild,
    update,
)


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
        if name == "occurred_at":  # an earlier minute, to the microsecond: nothing tells which
            return [f"message {scene.victim.pk}", "ids, times, codes or digests differ from what was sealed"]
        return [f"message {scene.victim.pk}", f"{name} differs from what was sealed ("]

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
    return [f"message {scene.victim.pk}", f"conversation differs from what was sealed ('{scene.talk.pk}')"]


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
    """The digests match the new text, the leaf hash is the sealed one."""
    forge(scene.victim, text="Good morning", keep_leaf_hash=True)
    return [named(scene.victim), "digests differ from what was sealed"]


@manipulation
def edit_text_with_fresh_digests_and_leaf_hash(scene: Scene) -> Words:
    forge(scene.victim, text="Good morning")
    return [named(scene.victim), "digests differ from what was sealed"]


@manipulation
def edit_text_and_its_leaf_in_the_tile(scene: Scene) -> Words:
    """The whole tree is rebuilt, except for the signatures."""
    forge(scene.victim, text="Good morning")
    rebuild()
    return ["leaves 8 to 15", "does not have the signed root"]


@manipulation
def edit_text_and_sign_with_another_key(scene: Scene) -> Words:
    forge(scene.victim, text="Good morning")
    rebuild(SigningKey.generate("kaede.example/contact-guard"))
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
    return [f"message {scene.victim.pk} (leaf ", "is missing"]


@manipulation
def delete_an_event(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    delete(event)
    return [f"event {event.pk} (leaf ", "is missing"]


@manipulation
def delete_the_newest_rows(scene: Scene) -> Words:
    for row in scene.messages[-2:]:
        delete(scene.event(row))
        delete(row)
    return [f"message {scene.messages[-1].pk} (leaf ", f"message {scene.messages[-2].pk} (leaf "]


@manipulation
def delete_a_pending_message(scene: Scene) -> Words:
    waiting = rows.message(scene.talk)
    delete(waiting)
    return [f"message {waiting.pk}", "is pending but missing from its table"]


@manipulation
def edit_a_pending_message(scene: Scene) -> Words:
    waiting = rows.message(scene.talk)
    update(waiting, text="changed before sealing")
    return [named(waiting), "is not sealed yet; text differs"]


@manipulation
def edit_an_event(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    update(event, kind="delivery.failed")
    return [f"event {event.pk}", "kind differs from what was sealed ('delivery.sent')"]


@manipulation
def edit_an_events_data(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    update(event, data='{"by":"nobody"}')
    return [f"event {event.pk}", "data differs from what was sealed ('{}')"]


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
def move_an_event_to_another_message(scene: Scene) -> Words:
    event = scene.event(scene.victim)
    update(event, message=scene.other)
    return [f"event {event.pk}", f"message differs from what was sealed ('{scene.victim.pk}')"]


@manipulation
def swap_two_texts(scene: Scene) -> Words:
    first, second = scene.victim, scene.other
    update(first, text=second.text)
    update(second, text=first.text)
    return [named(first), named(second), "text differs"]


@manipulation
def swap_two_rows_with_all_values(scene: Scene) -> Words:
    """All values except the ids are swapped, digests and leaf hashes included."""
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
    return [f"message {scene.victim.pk} (leaf ", "is missing", f"message {fresh} of", "has no leaf"]


@manipulation
def add_a_message_past_the_triggers(scene: Scene) -> Words:
    with past_the_triggers():
        slipped = rows.message(scene.talk, "I never wrote this")
    return [named(slipped), "has no leaf and is not pending"]


@manipulation
def add_an_event_past_the_triggers(scene: Scene) -> Words:
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
    """The copy has the digests of the original and is sealed like a genuine row."""
    from crm_contact_guard.sealing.sealer import seal

    copy = Message.objects.get(pk=scene.victim.pk)
    copy.pk = uuid7()
    copy.save(force_insert=True)
    seal()
    return [f"message {copy.pk} of", "differ from what was sealed"]


@manipulation
def add_a_backdated_message_for_the_sealer(scene: Scene) -> Words:
    """The row is consistent, but its ``recorded_at`` does not fit its seal."""
    from datetime import timedelta

    from crm_contact_guard.sealing.sealer import seal

    forged = Message.objects.get(pk=scene.victim.pk)
    forged.pk = uuid7()
    forged.recorded_at -= timedelta(days=90)
    forged.occurred_at -= timedelta(days=90)
    forged.salt = canonical.new_salt(canonical.MESSAGE_PERSONAL)
    fit(forged)
    forged.save(force_insert=True)
    seal()
    return [named(forged), "has a recording time that does not fit its seal"]


@manipulation
def seal_a_message_twice(scene: Scene) -> Words:
    from crm_contact_guard.sealing.sealer import seal

    Pending.objects.create(row_kind="message", row_id=scene.victim.pk, leaf_hash=scene.victim.leaf_hash)
    seal()
    return [f"message {scene.victim.pk} of", "was sealed 2 times"]


@manipulation
def queue_a_sealed_message_again(scene: Scene) -> Words:
    Pending.objects.create(row_kind="message", row_id=scene.victim.pk, leaf_hash=scene.victim.leaf_hash)
    return [f"message {scene.victim.pk} of", "is sealed and pending again"]


@manipulation
def drop_a_pending_row(scene: Scene) -> Words:
    waiting = rows.message(scene.talk)
    Pending.objects.all().delete()
    return [named(waiting), "has no leaf and is not pending"]


@manipulation
def queue_a_row_that_does_not_exist(scene: Scene) -> Words:
    ghost = uuid7()
    Pending.objects.create(row_kind="event", row_id=ghost, leaf_hash=bytes(32))
    return [f"event {ghost}", "is pending but missing from its table"]


@manipulation
def alter_a_pending_hash(scene: Scene) -> Words:
    waiting = rows.message(scene.talk)
    Pending.objects.update(leaf_hash=bytes(32))
    return [f"message {waiting.pk}", "is not sealed yet; "]
