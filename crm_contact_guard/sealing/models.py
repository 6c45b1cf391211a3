"""Tables for sealing: the Merkle tree over the recorded rows, and the state of each witness.

Verification doesn't trust these tables. Everything in the tree must lead to a signature by a key that is not in the
database. A million rows take about 50 MB: 32 MB for tiles and 17 MB for seals.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.hosting.rows import Row


class TreeHead(Row):
    """The single row that sealers lock: the size of the tree and the hashes needed to append to it."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    origin = models.CharField(max_length=255, help_text="Name of this record in every checkpoint; never changes.")
    size = models.BigIntegerField(help_text="Leaves.")
    frontier = models.BinaryField(help_text="proof.merkle.Frontier.to_bytes().")
    sealed_at = models.DateTimeField(null=True)


class Seal(Row):
    """The rows sealed in one transaction, and the signed tree head after them. Written once, never changed.

    ``rows`` contains 17 bytes per leaf in leaf order: ``m`` or ``e`` (message, event) and the 16 bytes of the row's ID.
    Within a seal, IDs ascend.
    """

    size = models.BigIntegerField(primary_key=True, help_text="Leaves of the tree after this seal.")
    rows = models.BinaryField()
    #: Unix milliseconds of the smallest and largest UUIDv7 in the seal, to find a row's seal without an index per row.
    first_ms = models.BigIntegerField()
    last_ms = models.BigIntegerField()
    checkpoint = models.TextField(help_text="C2SP signed checkpoint.")
    sealed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["last_ms", "first_ms"], name="contact_guard_seal_ids")]


class Tile(Row):
    """256 hashes of the tree (C2SP tlog-tiles). The last tile of each level may be partial and is then updated."""

    #: ``level · 2⁴⁸ + index``
    id = models.BigIntegerField(primary_key=True)
    hashes = models.BinaryField()


class Witnessing(Row):
    """State of a witness: the last checkpoint it stored, and the last error."""

    alias = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField(default=0)
    kept_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("witness")
