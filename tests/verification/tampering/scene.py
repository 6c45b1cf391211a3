"""The data that is manipulated, and functions to bypass the triggers and to forge rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, models

from crm_contact_guard.proof import canonical
from crm_contact_guard.proof.merkle import Frontier
from crm_contact_guard.proof.notes import Checkpoint, SigningKey
from crm_contact_guard.record import triggers
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import event_open_values, message_open_values
from crm_contact_guard.sealing.models import Seal, Tile, TreeHead
from crm_contact_guard.sealing.tree import ENTRY, tile_id

Words = list[str]
MESSAGE = "crm_contact_guard_message"

#: On MariaDB, dropping a trigger commits the transaction.
needs_database = pytest.mark.django_db(transaction=settings.DATABASES["default"]["ENGINE"].endswith("mysql"))


@dataclass
class Scene:
    """The rows that are manipulated."""

    talk: Conversation
    messages: list[Message]
    #: Statements that undo what a transaction does not roll back.
    undo: list[str] = field(default_factory=list)

    @property
    def victim(self) -> Message:
        return self.messages[5]

    @property
    def other(self) -> Message:
        return self.messages[8]

    def event(self, about: Message) -> Event:
        return Event.objects.get(message=about)

    def erasure(self, of: Message) -> Event:
        return Event.objects.get(kind__startswith="erasure.", subject_id=str(of.pk))


MANIPULATIONS: dict[str, Callable[[Scene], Words]] = {}


def manipulation(act: Callable[[Scene], Words]) -> Callable[[Scene], Words]:
    MANIPULATIONS[act.__name__] = act
    return act


@contextmanager
def past_the_triggers() -> Any:
    """Run without triggers, as a superuser can, and restore them."""
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


def forge(row: Message, *, keep_leaf_hash: bool = False, **values: Any) -> None:
    forged = Message.objects.get(pk=row.pk)
    for name, value in values.items():
        setattr(forged, name, value)
    leaf_hash = forged.leaf_hash
    fit(forged)
    if keep_leaf_hash:
        forged.leaf_hash = leaf_hash
    update(row, digests=forged.digests, leaf_hash=forged.leaf_hash, **values)


def fit(row: Message) -> None:
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


def rebuild(key: SigningKey | None = None) -> None:
    """Rebuild tile, head and (with a key) checkpoints from the current rows."""
    tree, tile, origin = Frontier(), b"", TreeHead.objects.get().origin
    for seal in Seal.objects.order_by("size"):
        held = bytes(seal.rows)
        hashes = b"".join(_leaf_hash(held[at : at + ENTRY]) for at in range(0, len(held), ENTRY))
        tree.append(hashes)
        tile += hashes
        if key is not None:
            checkpoint = Checkpoint(origin, tree.size, tree.root()).sign(key)
            Seal.objects.filter(pk=seal.pk).update(checkpoint=checkpoint)
    rewrite_tile(lambda _: tile)
    TreeHead.objects.update(frontier=tree.to_bytes())


def rewrite_tile(change: Callable[[bytes], bytes]) -> None:
    tile = Tile.objects.get(pk=tile_id(0, 0))
    Tile.objects.filter(pk=tile.pk).update(hashes=change(bytes(tile.hashes)))


def frontier(size: int) -> Frontier:
    tree = Frontier()
    tree.append(bytes(Tile.objects.get(pk=tile_id(0, 0)).hashes)[: size * 32])
    return tree


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # PostgreSQL can't alter a table with pending foreign key checks.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in statements:
            cursor.execute(statement)


def by_vendor(words: Words, undo: str = "", **statements: list[str]) -> Callable[[Scene], Words] | None:
    """A manipulation with its SQL per database; ``undo`` is for what a transaction does not roll back."""
    if connection.vendor not in statements:
        return None

    def act(scene: Scene) -> Words:
        if undo and connection.vendor == "mysql":
            scene.undo.extend(undo.split(";"))
        run(*statements[connection.vendor])
        return words

    return act
