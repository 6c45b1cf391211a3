"""URLs of the API, under ``api/v1/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from crm_contact_guard.api.lazy import LazyView
from crm_contact_guard.hosting import database

# IDs match any string, so that a malformed ID gets this API's "not found" response instead of the host's 404 page.
urlpatterns: list[URLPattern | URLResolver] = [
    path("conversations/", LazyView("conversations.ConversationList"), name="api-conversations"),
    path("conversations/<str:pk>/", LazyView("conversations.ConversationDetail"), name="api-conversation"),
    path(
        "conversations/<str:pk>/messages/",
        LazyView("conversations.ConversationMessages"),
        name="api-conversation-messages",
    ),
    path(
        "conversations/<str:pk>/call/",
        # The request to call must be committed to the record before the carrier is contacted, even if the host sets
        # ATOMIC_REQUESTS.
        database.outside_transactions(LazyView("calls.ConversationCall")),
        name="api-conversation-call",
    ),
    path(
        "conversations/<str:pk>/customer/",
        LazyView("identifying.ConversationCustomer"),
        name="api-conversation-customer",
    ),
    path("messages/", LazyView("messages.MessageList"), name="api-messages"),
    path("messages/<str:pk>/", LazyView("messages.MessageDetail"), name="api-message"),
    path("messages/<str:pk>/recall/", LazyView("messages.MessageRecall"), name="api-message-recall"),
    path("holds/", LazyView("holds.HoldList"), name="api-holds"),
    path("holds/<str:pk>/approve/", LazyView("holds.HoldApprove"), name="api-hold-approve"),
    path("holds/<str:pk>/return/", LazyView("holds.HoldReturn"), name="api-hold-return"),
    path("holds/<str:pk>/reject/", LazyView("holds.HoldReject"), name="api-hold-reject"),
    path("messages.jsonl", LazyView("streams.MessagesJsonl"), name="api-messages-jsonl"),
    path("messages.csv", LazyView("streams.MessagesCsv"), name="api-messages-csv"),
    path("files/<str:pk>/", LazyView("files.File"), name="api-file"),
    path("templates/", LazyView("files.TemplateList"), name="api-templates"),
    path("findings/", LazyView("alerts.FindingList"), name="api-findings"),
    path("alerts/", LazyView("alerts.AlertList"), name="api-alerts"),
    path("alerts/<str:pk>/", LazyView("alerts.AlertDetail"), name="api-alert"),
    path("alerts/<str:pk>/claim/", LazyView("alert_actions.AlertClaim"), name="api-alert-claim"),
    path("alerts/<str:pk>/release/", LazyView("alert_actions.AlertRelease"), name="api-alert-release"),
    path("alerts/<str:pk>/assign/", LazyView("alert_actions.AlertAssign"), name="api-alert-assign"),
    path("alerts/<str:pk>/escalate/", LazyView("alert_actions.AlertEscalate"), name="api-alert-escalate"),
    path("alerts/<str:pk>/snooze/", LazyView("alert_actions.AlertSnooze"), name="api-alert-snooze"),
    path("alerts/<str:pk>/defer/", LazyView("alert_actions.AlertDefer"), name="api-alert-defer"),
    path("alerts/<str:pk>/wake/", LazyView("alert_actions.AlertWake"), name="api-alert-wake"),
    path("alerts/<str:pk>/close/", LazyView("alert_actions.AlertClose"), name="api-alert-close"),
    path("alerts/<str:pk>/reopen/", LazyView("alert_actions.AlertReopen"), name="api-alert-reopen"),
    path("alerts/<str:pk>/undo/", LazyView("alert_actions.AlertUndo"), name="api-alert-undo"),
    path("consultations/", LazyView("consultations.ConsultationList"), name="api-consultations"),
    path("consultations/<str:pk>/", LazyView("consultations.ConsultationDetail"), name="api-consultation"),
    path("consultations/<str:pk>/reply/", LazyView("consultations.ConsultationReply"), name="api-consultation-reply"),
    path("consultations/<str:pk>/close/", LazyView("consultations.ConsultationClose"), name="api-consultation-close"),
    path("cases/", LazyView("cases.CaseList"), name="api-cases"),
    path("cases/<str:pk>/", LazyView("cases.CaseDetail"), name="api-case"),
    path("cases/<str:pk>/steps/", LazyView("cases.CaseSteps"), name="api-case-steps"),
    path("hours/", LazyView("own.hours.HoursList"), name="api-hours"),
    path("hours/<str:pk>/", LazyView("own.hours.HoursDetail"), name="api-hours-employee"),
    path("me/", LazyView("own.me.Me"), name="api-me"),
    path("me/flags/<str:pk>/", LazyView("own.me.MeFlag"), name="api-me-flag"),
    path("me/flags/<str:pk>/remarks/", LazyView("own.me.MeRemarks"), name="api-me-flag-remarks"),
    path("figures/", LazyView("figures.FiguresView"), name="api-figures"),
    path("exports/", LazyView("exports.ExportList"), name="api-exports"),
    path("exports/<str:pk>/", LazyView("exports.ExportDetail"), name="api-export"),
    path("exports/<str:pk>/download/", LazyView("exports.ExportDownload"), name="api-export-download"),
    path("exports/<str:pk>/approve/", LazyView("exports.ExportApprove"), name="api-export-approve"),
    path("exports/<str:pk>/refuse/", LazyView("exports.ExportRefuse"), name="api-export-refuse"),
    path("exports/<str:pk>/cancel/", LazyView("exports.ExportCancel"), name="api-export-cancel"),
    path("access-log/", LazyView("access_log.AccessLog"), name="api-access-log"),
    path("ledger/checkpoint/", LazyView("ledger.LedgerCheckpoint"), name="api-ledger-checkpoint"),
    path("ledger/proof/<str:pk>/", LazyView("ledger.LedgerProof"), name="api-ledger-proof"),
    path("rules/", LazyView("rules.RulesList"), name="api-rules"),
    path("rules/<str:pk>/acknowledge/", LazyView("rules.RulesSign"), name="api-rules-acknowledge"),
    path("scan/", LazyView("scan.Scan"), name="api-scan"),
    path("schema/", LazyView("schema.Schema"), name="api-schema"),
]
