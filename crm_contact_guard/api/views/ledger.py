"""``ledger/``: the signed state of the record, and proofs that messages are in it."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from crm_contact_guard import permissions
from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView, one_or_404
from crm_contact_guard.api.problems import InvalidQuery
from crm_contact_guard.api.schema import ID, answers, described
from crm_contact_guard.api.serializers.ledger import CheckpointSerializer, ProofSerializer
from crm_contact_guard.sealing import proofs
from crm_contact_guard.sealing.keys import verification_keys

_DIGITS = 18


class LedgerCheckpoint(GuardView):
    """Return the newest signed tree head.

    Every employee may read it, because anyone who keeps a tree head can detect that the record was rewritten later.
    """

    serializer_class = CheckpointSerializer

    @described(
        operation_id="ledger_checkpoint",
        parameters=[
            OpenApiParameter("since", OpenApiTypes.INT, description="Leaves of a checkpoint that you hold."),
        ],
        responses=answers(CheckpointSerializer, 400, 401, 403),
    )
    def get(self, request: Request) -> HttpResponseBase:
        filters.read(request, {}, also=("since",))
        head = proofs.head() or proofs.Head(size=0, checkpoint="")
        since = _since(request, head.size)
        path = None if since is None else [node.hex() for node in proofs.consistency(since, head)]
        found = {
            "checkpoint": head.checkpoint,
            "size": head.size,
            "keys": [key.to_text() for key in verification_keys()],
            "since": since,
            "consistency": path,
        }
        return self.conditional(CheckpointSerializer(found).data)


class LedgerProof(GuardView):
    """Return the proof that a message is in the record, if the caller may read the message. It contains no content."""

    serializer_class = ProofSerializer

    @described(operation_id="ledger_proof", parameters=[ID], responses=answers(ProofSerializer, 400, 401, 403, 404))
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        message = one_or_404(permissions.messages(self.viewer), pk)
        found = proofs.inclusion(message)
        answer = {
            "message": message.pk,
            "sealed": found is not None,
            "leaf": proofs.leaf(message).hex(),
            "leaf_hash": bytes(message.leaf_hash).hex() if found is None else found.leaf_hash.hex(),
            "index": None if found is None else found.index,
            "size": None if found is None else found.head.size,
            "path": [] if found is None else [node.hex() for node in found.path],
            "checkpoint": "" if found is None else found.head.checkpoint,
        }
        return self.conditional(ProofSerializer(answer).data)


def _since(request: Request, size: int) -> int | None:
    given = request.query_params.get("since")
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > _DIGITS or int(given) > size:
        raise InvalidQuery("since", _("Give a number of leaves that the record has had."))
    return int(given)
