"""Addresses of the API, under ``api/v1/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from crm_contact_guard import database
from crm_contact_guard.api.views.access_log import AccessLog
from crm_contact_guard.api.views.alerts import AlertClaim, AlertClose, AlertDetail, AlertList, FindingList
from crm_contact_guard.api.views.calls import ConversationCall
from crm_contact_guard.api.views.conversations import ConversationDetail, ConversationList, ConversationMessages
from crm_contact_guard.api.views.files import File, TemplateList
from crm_contact_guard.api.views.ledger import LedgerCheckpoint, LedgerProof
from crm_contact_guard.api.views.linking import ConversationCustomer
from crm_contact_guard.api.views.messages import MessageDetail, MessageList
from crm_contact_guard.api.views.scan import Scan
from crm_contact_guard.api.views.schema import Schema
from crm_contact_guard.api.views.streams import MessagesCsv, MessagesJsonl

# Ids are taken as any text, so that an unreadable one is answered by our own "not found" and not by the host's page.
urlpatterns: list[URLPattern | URLResolver] = [
    path("conversations/", ConversationList.as_view(), name="api-conversations"),
    path("conversations/<str:pk>/", ConversationDetail.as_view(), name="api-conversation"),
    path("conversations/<str:pk>/messages/", ConversationMessages.as_view(), name="api-conversation-messages"),
    path(
        "conversations/<str:pk>/call/",
        # The wish must be on record before the carrier is asked, also where the host wraps requests in a transaction.
        database.outside_transactions(ConversationCall.as_view()),
        name="api-conversation-call",
    ),
    path("conversations/<str:pk>/customer/", ConversationCustomer.as_view(), name="api-conversation-customer"),
    path("messages/", MessageList.as_view(), name="api-messages"),
    path("messages/<str:pk>/", MessageDetail.as_view(), name="api-message"),
    path("messages.jsonl", MessagesJsonl.as_view(), name="api-messages-jsonl"),
    path("messages.csv", MessagesCsv.as_view(), name="api-messages-csv"),
    path("files/<str:pk>/", File.as_view(), name="api-file"),
    path("templates/", TemplateList.as_view(), name="api-templates"),
    path("findings/", FindingList.as_view(), name="api-findings"),
    path("alerts/", AlertList.as_view(), name="api-alerts"),
    path("alerts/<str:pk>/", AlertDetail.as_view(), name="api-alert"),
    path("alerts/<str:pk>/claim/", AlertClaim.as_view(), name="api-alert-claim"),
    path("alerts/<str:pk>/close/", AlertClose.as_view(), name="api-alert-close"),
    path("access-log/", AccessLog.as_view(), name="api-access-log"),
    path("ledger/checkpoint/", LedgerCheckpoint.as_view(), name="api-ledger-checkpoint"),
    path("ledger/proof/<str:pk>/", LedgerProof.as_view(), name="api-ledger-proof"),
    path("scan/", Scan.as_view(), name="api-scan"),
    path("schema/", Schema.as_view(), name="api-schema"),
]
