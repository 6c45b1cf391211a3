"""Manipulations of the tree, seals, signatures, triggers, permits and attachments."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from django.db import connection

from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record.models import ErasurePermit, Event, Message
from crm_contact_guard.sealing.models import Seal, Tile, TreeHead
from crm_contact_guard.sealing.tree import ENTRY
from tests.record import rows
from tests.verification.tampering.scene import (
    Scene,
    Words,
    delete,
    frontier,
    manipulation,
    rewrite_tile,
)


@manipulation
def alter_a_leaf_in_its_tile(scene: Scene) -> Words:
    rewrite_tile(lambda hashes: bytes(32) + hashes[32:])
    first = UUID(bytes=bytes(Seal.objects.get(size=8).rows)[1:ENTRY])
    return [f" {first} of", "differ from what was sealed", "leaves 0 to 7", "does not have the signed root"]


@manipulation
def swap_two_leaves_with_their_rows(scene: Scene) -> Words:
    rewrite_tile(lambda hashes: hashes[32:64] + hashes[:32] + hashes[64:])
    seal = Seal.objects.get(size=8)
    held = bytes(seal.rows)
    Seal.objects.filter(size=8).update(rows=held[ENTRY : 2 * ENTRY] + held[:ENTRY] + held[2 * ENTRY :])
    return ["leaves 0 to 7", "does not have the signed root"]


@manipulation
def drop_the_last_leaf(scene: Scene) -> Words:
    """Removes the row, its leaf, and one from the sizes."""
    seal = Seal.objects.get(size=24)
    held = bytes(seal.rows)
    kind, row_id = held[-ENTRY:-16], UUID(bytes=held[-16:])
    for event in Event.objects.filter(pk=row_id) if kind == b"e" else Event.objects.filter(message=row_id):
        delete(event)
    for message in Message.objects.filter(pk=row_id):
        delete(message)
    moments = [int.from_bytes(held[at : at + 6], "big") for at in range(1, len(held) - ENTRY, ENTRY)]
    Seal.objects.filter(size=24).update(size=23, rows=held[:-ENTRY], last_ms=max(moments), first_ms=min(moments))
    rewrite_tile(lambda hashes: hashes[:-32])
    TreeHead.objects.update(size=23, frontier=frontier(23).to_bytes())
    return ["leaves 16 to 22", "does not have the signed root"]


@manipulation
def drop_a_tile(scene: Scene) -> Words:
    Tile.objects.all().delete()
    return ["tile 0/000 has 0 bytes", "differ from what was sealed"]


@manipulation
def shorten_a_tile(scene: Scene) -> Words:
    rewrite_tile(lambda hashes: hashes[: 20 * 32])
    return ["tile 0/000 has 640 bytes, 768 are needed"]


@manipulation
def drop_a_seal(scene: Scene) -> Words:
    Seal.objects.filter(size=16).delete()
    return [
        "leaves 8 to 15",
        "the seal that lists their rows is missing",
        f"message {scene.victim.pk} of",
        "has no leaf",
    ]


@manipulation
def drop_all_seals(scene: Scene) -> Words:
    Seal.objects.all().delete()
    return ["seals", "all are missing"]


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
def add_a_seal(scene: Scene) -> Words:
    seal = Seal.objects.get(size=16)
    seal.size = 13
    seal.save(force_insert=True)
    return ["seal of 13 leaves", "a seal was added"]


@manipulation
def roll_the_head_back(scene: Scene) -> Words:
    TreeHead.objects.update(size=16, frontier=frontier(16).to_bytes())
    return ["tree head", "has size 16, but the seals end at 24"]


@manipulation
def drop_the_head(scene: Scene) -> Words:
    TreeHead.objects.all().delete()
    return ["tree head", "is missing"]


@manipulation
def alter_the_heads_hashes(scene: Scene) -> Words:
    held = frontier(24).to_bytes()
    TreeHead.objects.update(frontier=held[:8] + bytes(32) + held[40:])
    return ["tree head", "its hashes differ from those of the tree"]


@manipulation
def rename_the_record(scene: Scene) -> Words:
    TreeHead.objects.update(origin="other.example/contact-guard")
    return ["checkpoint of 24 leaves", "belongs to kaede.example/contact-guard, not to other.example"]


@manipulation
def alter_a_checkpoint(scene: Scene) -> Words:
    seal = Seal.objects.get(size=16)
    Seal.objects.filter(size=16).update(checkpoint=seal.checkpoint.replace("\n16\n", "\n15\n"))
    return ["checkpoint of 16 leaves", "does not fit the text"]


@manipulation
def put_an_older_checkpoint_over_a_newer(scene: Scene) -> Words:
    Seal.objects.filter(size=24).update(checkpoint=Seal.objects.get(size=16).checkpoint)
    return ["leaves 16 to 23", "does not have the signed root"]


@manipulation
def remove_a_signature(scene: Scene) -> Words:
    seal = Seal.objects.get(size=16)
    Seal.objects.filter(size=16).update(checkpoint=seal.checkpoint.partition("\n\n")[0] + "\n")
    return ["checkpoint of 16 leaves", "the note has no signatures"]


@manipulation
def drop_a_trigger(scene: Scene) -> Words:
    on = " ON crm_contact_guard_message" if connection.vendor == "postgresql" else ""
    connection.cursor().execute(f"DROP TRIGGER contact_guard_message_update{on}")
    return ["trigger contact_guard_message_update", "is missing, disabled or changed"]


@manipulation
def leave_an_erasure_permit_open(scene: Scene) -> Words:
    ErasurePermit.objects.create(row_id=scene.victim.pk)
    return [f"row {scene.victim.pk}", "has an open erasure permit"]


@manipulation
def drop_an_attachment(scene: Scene) -> Words:
    digest = sha256(b"photo").hexdigest()
    files = [{"name": "a.jpg", "type": "image/jpeg", "size": 5, "sha256": digest, "kind": "attachment"}]
    message = rows.message(scene.talk, files=files)
    from crm_contact_guard.sealing.sealer import seal

    seal()
    assert not Attachment.objects.exists()
    return [f"files of message {message.pk}", "differ from the sealed list"]
