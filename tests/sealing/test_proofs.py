"""Proofs computed from tiles, checked by the algorithms of RFC 9162, with few queries at any tree size."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.proof.canonical import leaf_hash
from crm_contact_guard.proof.merkle import check_consistency, check_inclusion
from crm_contact_guard.proof.notes import open_checkpoint
from crm_contact_guard.record.models import Message, Pending
from crm_contact_guard.sealing import keys, proofs
from crm_contact_guard.sealing.models import Seal
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.sealing.tree import entry, leaf_index
from tests.record import rows

pytestmark = pytest.mark.django_db


def test_every_row_has_a_valid_inclusion_proof() -> None:
    messages = rows.sealed_record(rows.talk(), runs=5, each=7)
    head = proofs.head()
    assert head is not None
    root = open_checkpoint(head.checkpoint, keys.verification_keys()).root

    for row in [*messages, *(event for message in messages for event in message.events.all())]:
        found = proofs.inclusion(row)
        assert found is not None
        assert leaf_hash(found.leaf) == found.leaf_hash == bytes(row.leaf_hash)
        check_inclusion(found.leaf_hash, found.index, head.size, found.path, root)


def test_a_pending_row_has_no_proof_yet() -> None:
    talk = rows.talk()
    rows.sealed_record(talk, runs=1)

    assert proofs.inclusion(rows.message(talk)) is None


def test_each_head_is_consistent_with_the_newest() -> None:
    rows.sealed_record(rows.talk(), runs=6, each=3)
    heads = [
        open_checkpoint(note, keys.verification_keys())
        for note in Seal.objects.order_by("size").values_list("checkpoint", flat=True)
    ]
    newest = proofs.head()
    assert newest is not None

    for old in heads:
        path = proofs.consistency(old.size, newest)
        check_consistency(old.size, newest.size, path, old.root, heads[-1].root)
    with pytest.raises(IndexError):
        proofs.consistency(newest.size + 1, newest)


def test_a_proof_from_a_large_tree_takes_few_queries_and_hashes() -> None:
    """70,000 leaves of pending rows that have no row in the recorded tables."""
    wanted = rows.message(rows.talk())
    Pending.objects.all().delete()
    notes = [Pending(row_kind="event", row_id=uuid7(), leaf_hash=bytes(32)) for _ in range(70_000)]
    notes[33_333] = Pending(row_kind="message", row_id=wanted.pk, leaf_hash=wanted.leaf_hash)
    Pending.objects.bulk_create(notes)
    seal(batch=1000)

    with CaptureQueriesContext(connection) as queries:
        found = proofs.inclusion(wanted)

    assert found is not None
    checkpoint = open_checkpoint(found.head.checkpoint, keys.verification_keys())
    check_inclusion(found.leaf_hash, found.index, 70_000, found.path, checkpoint.root)
    assert len(found.path) <= 17
    assert len(queries) <= 6


def test_an_id_across_two_entries_does_not_match() -> None:
    first, second = uuid7(), uuid7()
    held = entry("message", first) + entry("message", second)
    straddling = UUID(bytes=held[9:25])
    Seal.objects.create(size=2, rows=held, first_ms=0, last_ms=2**48, checkpoint="", sealed_at=timezone.now())

    assert leaf_index("default", "message", second) == 1
    assert leaf_index("default", "event", first) is None
    assert leaf_index("default", "message", straddling) is None


def test_a_proof_is_invalid_for_another_message() -> None:
    first, second = rows.sealed_record(rows.talk(), runs=1)[:2]
    found, other = proofs.inclusion(first), proofs.inclusion(second)
    assert found is not None
    assert other is not None
    root = open_checkpoint(found.head.checkpoint, keys.verification_keys()).root

    with pytest.raises(ValueError, match="not in the tree"):
        check_inclusion(other.leaf_hash, found.index, found.head.size, found.path, root)
    assert Message.objects.filter(pk=second.pk).exists()
