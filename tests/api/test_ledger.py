"""Checkpoint and proof over REST, checked as a stranger would check them: by the answers and a key alone."""

from __future__ import annotations

from crm_contact_guard.proof.canonical import leaf_hash
from crm_contact_guard.proof.merkle import check_consistency, check_inclusion
from crm_contact_guard.proof.notes import VerifierKey, open_checkpoint
from crm_contact_guard.record.models import Message
from crm_contact_guard.sealing.sealer import seal
from tests.api.conftest import Hotel, says


def test_a_message_is_proved_from_the_answer_alone(hotel: Hotel) -> None:
    seal()
    message = Message.objects.get(conversation=hotel.talk)

    answer = hotel.call("aoi", "GET", f"ledger/proof/{message.pk}/").json()
    keys = [VerifierKey.from_text(key) for key in hotel.call("aoi", "GET", "ledger/checkpoint/").json()["keys"]]

    checkpoint = open_checkpoint(answer["checkpoint"], keys)
    leaf = bytes.fromhex(answer["leaf"])
    path = [bytes.fromhex(node) for node in answer["path"]]
    assert answer["sealed"] is True
    assert leaf_hash(leaf).hex() == answer["leaf_hash"]
    check_inclusion(leaf_hash(leaf), answer["index"], answer["size"], path, checkpoint.root)
    assert checkpoint.size == answer["size"]
    assert str(message.pk).encode() in leaf
    assert (message.text or "").encode() not in leaf


def test_a_message_that_waits_says_so(hotel: Hotel) -> None:
    message = Message.objects.get(conversation=hotel.talk)

    answer = hotel.call("aoi", "GET", f"ledger/proof/{message.pk}/").json()

    assert (answer["sealed"], answer["index"], answer["path"], answer["checkpoint"]) == (False, None, [], "")
    assert answer["leaf_hash"] == bytes(message.leaf_hash).hex()


def test_a_newer_checkpoint_proves_to_go_on_from_an_older(hotel: Hotel) -> None:
    seal()
    old = hotel.call("rio", "GET", "ledger/checkpoint/").json()
    says(hotel.talk, "One more")
    seal()

    new = hotel.call("rio", "GET", f"ledger/checkpoint/?since={old['size']}").json()

    keys = [VerifierKey.from_text(key) for key in new["keys"]]
    first, last = (open_checkpoint(each["checkpoint"], keys) for each in (old, new))
    path = [bytes.fromhex(node) for node in new["consistency"]]
    check_consistency(first.size, last.size, path, first.root, last.root)
    assert first.size < last.size
    assert old["consistency"] is None


def test_nothing_sealed_is_an_answer_too(hotel: Hotel) -> None:
    answer = hotel.call("kai", "GET", "ledger/checkpoint/").json()

    assert (answer["checkpoint"], answer["size"]) == ("", 0)


def test_a_size_the_record_never_had_is_refused(hotel: Hotel) -> None:
    for given in ("1000000", "-1", "x", "１", "9" * 400):
        assert hotel.call("kai", "GET", f"ledger/checkpoint/?since={given}").status_code == 400
