"""All models of the app, gathered for Django from the layers that own them."""

from crm_contact_guard.api.models import ApiToken
from crm_contact_guard.directory.models import Address, Customer, Employee, Team
from crm_contact_guard.ledger.holds import LegalHold
from crm_contact_guard.ledger.models import (
    Attachment,
    Carrier,
    CarrierEventId,
    ChatLink,
    Conversation,
    Delivery,
    ErasurePermit,
    Event,
    IdempotencyKey,
    Media,
    Message,
    Pending,
)
from crm_contact_guard.ledger.sealed import Seal, Tile, TreeHead, Witnessing
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.supervision.models import Alert, Finding, Inspection, Notice

__all__ = [
    "Address",
    "Alert",
    "ApiToken",
    "Attachment",
    "Carrier",
    "CarrierEventId",
    "ChatLink",
    "Conversation",
    "Customer",
    "Delivery",
    "Employee",
    "ErasurePermit",
    "Event",
    "Finding",
    "IdempotencyKey",
    "Inspection",
    "LegalHold",
    "Media",
    "Message",
    "Notice",
    "Pending",
    "ReaderAnswer",
    "Seal",
    "Team",
    "Tile",
    "TreeHead",
    "Witnessing",
]
