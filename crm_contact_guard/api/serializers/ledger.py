"""Serializers for checkpoints and proofs. Hashes are in lower-case hex."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class CheckpointSerializer(serializers.Serializer[Any]):
    """The newest signed tree head. With ``since``, also the proof that the older tree is a prefix of this one."""

    checkpoint = serializers.CharField(help_text="C2SP signed checkpoint; empty while nothing is sealed.")
    size = serializers.IntegerField(help_text="Leaves.")
    keys = serializers.ListField(child=serializers.CharField(), help_text="Verifier keys; believe your own copy.")
    since = serializers.IntegerField(allow_null=True)
    consistency = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="RFC 6962 §2.1.2; null without `since`."
    )


class ProofSerializer(serializers.Serializer[Any]):
    """The proof that a message is in the record.

    While ``sealed`` is false, usually for about a second, only the leaf and its hash are given.
    """

    message = serializers.UUIDField()
    sealed = serializers.BooleanField()
    leaf = serializers.CharField(help_text="Canonical bytes, in hex: ids, times and salted digests, no content.")
    leaf_hash = serializers.CharField()
    index = serializers.IntegerField(allow_null=True)
    size = serializers.IntegerField(allow_null=True)
    path = serializers.ListField(child=serializers.CharField(), help_text="RFC 6962 §2.1.1, from the leaf upwards.")
    checkpoint = serializers.CharField(help_text="The signed tree head that the path leads to.")
