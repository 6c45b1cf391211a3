"""Signed notes and checkpoints: samples of two other implementations, key rotation, and alterations of every byte."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_contact_guard.proof import notes as n
from crm_contact_guard.proof.errors import KeyMalformed, NoteBroken, NoteMalformed, SignatureBroken, SignerUnknown

# golang.org/x/mod/sumdb/note, note_test.go
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LOG = json.loads((Path(__file__).parent / "vectors" / "independent-log.json").read_text("utf-8"))
OLD, NEW, OTHER = (
    n.SigningKey(name, bytes([number]) * 32) for number, name in enumerate(["guard/a", "guard/a", "guard/b"], 1)
)
TEXT = "guard/a\n5\n" + "A" * 43 + "=\n"


def test_go_sample() -> None:
    key = n.VerifierKey.from_text(GO_KEY)
    assert n.open_note(GO_NOTE, [key]).signers == (key,)
    secret = n.SigningKey.from_text(GO_SECRET)
    assert secret.verifier == key
    assert secret.to_text() == GO_SECRET
    assert key.to_text() == GO_KEY
    assert secret.sign(GO_NOTE.rpartition("\n\n")[0] + "\n") == GO_NOTE


def test_checkpoint_of_an_independent_log() -> None:
    secret = n.SigningKey("guard.example/record", bytes.fromhex(LOG["seed"]))
    assert secret.verifier.to_text() == LOG["verifier_key"]
    checkpoint = n.open_checkpoint(LOG["checkpoint"], n.parse_keys(LOG["verifier_key"]), "guard.example/record")
    assert checkpoint.size == LOG["leaves"]
    assert checkpoint.root.hex() == LOG["roots"]["66000"]
    assert checkpoint.sign(secret) == LOG["checkpoint"]


def test_old_and_new_key_verify_after_a_rotation() -> None:
    keys = n.parse_keys(f"# since 2026\n{NEW.verifier.to_text()}\n\n  {OLD.verifier.to_text()}  \n")
    for secret in (OLD, NEW):
        assert n.open_note(secret.sign(TEXT), keys).signers == (secret.verifier,)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    witnessed = NEW.sign(TEXT) + OTHER.sign(TEXT).rpartition("\n\n")[2]
    assert n.open_note(witnessed, [NEW.verifier]).signers == (NEW.verifier,)
    assert n.open_note(witnessed, [OTHER.verifier, NEW.verifier]).signers == (NEW.verifier, OTHER.verifier)


def test_a_note_of_strangers_only_is_refused() -> None:
    with pytest.raises(SignerUnknown):
        n.open_note(NEW.sign(TEXT), [OLD.verifier, OTHER.verifier])


def test_an_invalid_signature_of_a_known_key_invalidates_the_note() -> None:
    forged = OTHER.sign(TEXT) + NEW.sign(TEXT + "more\n").rpartition("\n\n")[2]
    with pytest.raises(SignatureBroken):
        n.open_note(forged, [OTHER.verifier, NEW.verifier])


def test_every_altered_byte_of_a_note_is_detected() -> None:
    note = NEW.sign(TEXT).encode()
    for at in range(len(note)):
        for bit in (1, 2, 32):
            altered = note[:at] + bytes([note[at] ^ bit]) + note[at + 1 :]
            try:
                text = altered.decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(NoteBroken):
                n.open_note(text, [NEW.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        NEW.sign(TEXT)[:-1],
        NEW.sign(TEXT) + "\n",
        NEW.sign(TEXT) + "trailer\n",
        NEW.sign(TEXT).replace("\u2014", "-"),
        NEW.sign(TEXT).replace("=\n", "=\r\n"),
        NEW.sign(TEXT).replace("guard/a ", "guard/a  "),
        "x" * (1 << 20) + NEW.sign(TEXT),
        NEW.sign(TEXT) + "\u2014 other AAAAAAAA\n" * 64,
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NoteMalformed):
        n.open_note(note, [NEW.verifier])


@pytest.mark.parametrize("text", ["", "no line feed", "a\tb\n", "a\0\n", "\n", "\ud800\n"])
def test_what_cannot_be_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(NoteMalformed):
        NEW.sign(text)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_text_signed_can_be_opened(text: str) -> None:
    assert n.open_note(NEW.sign(text + "\n"), [NEW.verifier]).text == text + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "guard/a\n5\n",
        "\n5\n" + "A" * 43 + "=\n",
        "guard/a\n05\n" + "A" * 43 + "=\n",
        "guard/a\n-5\n" + "A" * 43 + "=\n",
        "guard/a\n٥\n" + "A" * 43 + "=\n",
        "guard/a\n5\n" + "A" * 42 + "B=\n",
        "guard/a\n5\nAAAA\n",
        TEXT + "\nextension\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformed):
        n.open_checkpoint(NEW.sign(text), [NEW.verifier])


def test_a_checkpoint_of_another_tree_is_refused() -> None:
    assert n.open_checkpoint(NEW.sign(TEXT), [NEW.verifier], "guard/a").size == 5
    with pytest.raises(NoteMalformed, match="not of guard/b"):
        n.open_checkpoint(NEW.sign(TEXT), [NEW.verifier], "guard/b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "name",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("PeterNeumann", "PeterNeuman"),
        GO_KEY[:-1],
        GO_KEY[:-4],
        GO_KEY.replace("+AR", "+AQ"),
        GO_SECRET,
        GO_KEY + "\nnonsense",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(KeyMalformed):
        n.parse_keys(text)


@pytest.mark.parametrize("text", [GO_KEY, GO_SECRET[:-2], GO_SECRET.replace("AYEK", "AYEL"), ""])
def test_a_broken_secret_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeyMalformed) as caught:
        n.SigningKey.from_text(text)
    assert "FALVFGy" not in str(caught.value)


def test_repr_does_not_contain_the_private_key() -> None:
    secret = n.SigningKey.generate("guard/new")
    assert secret.seed.hex() not in repr(secret)
    assert repr(secret.seed) not in repr(secret)
    assert n.SigningKey.from_text(secret.to_text()) == secret
    assert secret != n.SigningKey.generate("guard/new")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "x" * 256, "a\u3000b"])
def test_names_that_would_break_a_note_are_refused(name: str) -> None:
    with pytest.raises(KeyMalformed):
        n.SigningKey.generate(name)


def test_fingerprints_are_readable_and_differ() -> None:
    assert len(NEW.verifier.fingerprint.split()) == 16
    assert NEW.verifier.fingerprint != OLD.verifier.fingerprint
