"""URLs of the pages for staff and customers."""

from __future__ import annotations

from django.urls import path
from django.views.i18n import set_language

from crm_contact_guard.console.absences import views as absences
from crm_contact_guard.console.cases import views as cases
from crm_contact_guard.console.consulting import measuring
from crm_contact_guard.console.consulting import views as consulting
from crm_contact_guard.console.conversation import calls, chat_links, identifying, message_files, recalling
from crm_contact_guard.console.conversation import views as conversation
from crm_contact_guard.console.customer import chat, chat_files
from crm_contact_guard.console.data_requests import views as data_requests
from crm_contact_guard.console.employee import acting, inbox, starting
from crm_contact_guard.console.figures import views as figures
from crm_contact_guard.console.hours import views as hours
from crm_contact_guard.console.notices import views as notices
from crm_contact_guard.console.own import views as own
from crm_contact_guard.console.policy import trials
from crm_contact_guard.console.policy import views as policy
from crm_contact_guard.console.quality import views as quality
from crm_contact_guard.console.rules import views as rules
from crm_contact_guard.console.supervisor import (
    alert_actions,
    alerts,
    bulk,
    contests,
    erase_message,
    holds,
    queue_page,
    queue_views,
)

urlpatterns = [
    path("", queue_page.dashboard, name="dashboard"),
    path("alerts/", queue_page.alerts, name="alerts"),
    path("alerts/news/", queue_page.alert_news, name="alerts_news"),
    path("alerts/close/", bulk.close, name="alerts_close"),
    path("alerts/undo/", bulk.undo, name="alerts_undo"),
    path("alerts/views/", queue_views.keep, name="queue_view_keep"),
    path("alerts/views/<uuid:pk>/", queue_views.change, name="queue_view_change"),
    path("alerts/views/<uuid:pk>/remove/", queue_views.remove, name="queue_view_remove"),
    path("alerts/<uuid:pk>/", alerts.alert, name="alert"),
    path("alerts/<uuid:pk>/claim/", alert_actions.claim, name="alert_claim"),
    path("alerts/<uuid:pk>/release/", alert_actions.release, name="alert_release"),
    path("alerts/<uuid:pk>/assign/", alert_actions.assign, name="alert_assign"),
    path("alerts/<uuid:pk>/escalate/", alert_actions.escalate, name="alert_escalate"),
    path("alerts/<uuid:pk>/snooze/", alert_actions.snooze, name="alert_snooze"),
    path("alerts/<uuid:pk>/defer/", alert_actions.defer, name="alert_defer"),
    path("alerts/<uuid:pk>/wake/", alert_actions.wake, name="alert_wake"),
    path("alerts/<uuid:pk>/close/", alert_actions.close, name="alert_close"),
    path("alerts/<uuid:pk>/reopen/", alert_actions.reopen, name="alert_reopen"),
    path("alerts/<uuid:pk>/undo/", alert_actions.undo, name="alert_undo"),
    path("alerts/<uuid:pk>/erase/", erase_message.erase, name="alert_message_erase"),
    path("conversations/start/", starting.start, name="conversation_start"),
    path("conversations/<uuid:pk>/", conversation.conversation, name="conversation"),
    path("conversations/<uuid:pk>/news/", conversation.news, name="conversation_news"),
    path("conversations/<uuid:pk>/preview/", conversation.preview, name="conversation_send_preview"),
    path("conversations/<uuid:pk>/send/", conversation.send, name="conversation_send"),
    path("holds/", holds.holds, name="holds"),
    path("holds/<uuid:pk>/approve/", holds.approve, name="hold_approve"),
    path("holds/<uuid:pk>/return/", holds.send_back, name="hold_return"),
    path("holds/<uuid:pk>/reject/", holds.reject, name="hold_reject"),
    path("messages/<uuid:pk>/recall/", recalling.recall, name="message_recall"),
    path("conversations/<uuid:pk>/link/", identifying.identify, name="customer_identify"),
    path("conversations/<uuid:pk>/unmask/", conversation.unmask, name="conversation_unmask"),
    path("conversations/<uuid:pk>/note/", conversation.note, name="conversation_note"),
    path("conversations/<uuid:pk>/call/", calls.call, name="conversation_call"),
    path("conversations/<uuid:pk>/links/", chat_links.create, name="chat_link_create"),
    path("conversations/<uuid:pk>/links/<uuid:link_pk>/revoke/", chat_links.revoke, name="chat_link_revoke"),
    path("consult/", consulting.consultations, name="consultations"),
    path("consult/new/<uuid:pk>/", consulting.new, name="consultation_new"),
    path("consult/<uuid:pk>/", consulting.consultation, name="consultation"),
    path("consult/<uuid:pk>/reply/", consulting.reply, name="consultation_reply"),
    path("consult/<uuid:pk>/handover/", measuring.handover, name="consultation_handover"),
    path("consult/<uuid:pk>/restrict/", measuring.restrict, name="consultation_restrict"),
    path("consult/<uuid:pk>/lift/", measuring.lift, name="consultation_lift"),
    path("consult/<uuid:pk>/outside/", measuring.outside, name="consultation_outside"),
    path("consult/<uuid:pk>/close/", consulting.close, name="consultation_close"),
    path("me/", own.own, name="own_record"),
    path("me/flags/<uuid:pk>/", own.flag, name="own_flag"),
    path("alerts/contests/<uuid:pk>/", contests.answer, name="contest_answer"),
    path("figures/", figures.overview, name="figures"),
    path("quality/", quality.overview, name="quality"),
    path("quality/rules/", quality.silence, name="quality_rule"),
    path("quality/sample/<uuid:pk>/", quality.sample, name="quality_sample"),
    path("quality/sample/<uuid:pk>/read/", quality.sample_read, name="quality_sample_read"),
    path("quality/second/<uuid:pk>/", quality.second_review, name="quality_second"),
    path("quality/second/<uuid:pk>/give/", quality.second_review_give, name="quality_second_give"),
    path("rules/policy/", policy.policy, name="policy"),
    path("rules/policy/<uuid:pk>/", policy.version, name="policy_version"),
    path("rules/policy/<uuid:pk>/try/", trials.begin, name="policy_try"),
    path("rules/policy/trials/<uuid:pk>/", trials.trial, name="policy_trial"),
    path("rules/policy/trials/<uuid:pk>/news/", trials.news, name="policy_trial_news"),
    path("rules/policy/trials/<uuid:pk>/cancel/", trials.cancel, name="policy_trial_cancel"),
    path("rules/policy/<uuid:pk>/approve/", policy.approve, name="policy_approve"),
    path("rules/policy/<uuid:pk>/withdraw/", policy.withdraw, name="policy_withdraw"),
    path("files/<uuid:pk>/", message_files.file, name="message_file"),
    path("files/carrier/<str:token>/", message_files.carrier_file, name="carrier_file"),
    path("absences/", absences.absences, name="absences"),
    path("absences/enter/", absences.enter, name="absence_enter"),
    path("absences/<uuid:pk>/end/", absences.end, name="absence_end"),
    path("hours/", hours.overview, name="hours"),
    path("hours/company/", hours.company, name="hours_company"),
    path("hours/company/enter/", hours.company_enter, name="hours_company_enter"),
    path("hours/company/remove/", hours.company_remove, name="hours_company_remove"),
    path("hours/<uuid:pk>/", hours.employee, name="hours_employee"),
    path("hours/<uuid:pk>/enter/", hours.enter, name="hours_enter"),
    path("hours/<uuid:pk>/remove/", hours.remove, name="hours_remove"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/news/", inbox.inbox_news, name="inbox_news"),
    path("inbox/<uuid:pk>/", inbox.inbox, name="inbox_conversation"),
    path("inbox/<uuid:pk>/done/", acting.done, name="inbox_done"),
    path("inbox/<uuid:pk>/undone/", acting.undone, name="inbox_undone"),
    path("inbox/<uuid:pk>/snooze/", acting.snooze, name="inbox_snooze"),
    path("inbox/<uuid:pk>/wake/", acting.wake, name="inbox_wake"),
    path("inbox/<uuid:pk>/hand-over/", acting.hand_over, name="inbox_hand_over"),
    path("conversations/<uuid:pk>/draft/", acting.draft, name="conversation_draft"),
    path("notices/", notices.notices, name="notices"),
    path("notices/news/", notices.news, name="notices_news"),
    path("notices/read/", notices.read, name="notices_read"),
    path("notices/settings/", notices.settings, name="notice_settings"),
    path("notices/test/", notices.test, name="notice_test"),
    path("cases/", cases.cases, name="cases"),
    path("cases/<uuid:pk>/", cases.case, name="case"),
    path("cases/<uuid:pk>/steps/<slug:name>/", cases.step, name="case_step"),
    path("cases/<uuid:pk>/letters/<uuid:letter_pk>/", cases.letter, name="case_letter"),
    path("rules/", rules.rules, name="rules"),
    path("rules/ask/", rules.ask, name="rules_ask"),
    path("rules/publish/", rules.publish, name="rules_publish"),
    path("rules/questions/<uuid:pk>/", rules.answer, name="rules_answer"),
    path("rules/signatures/", rules.signatures, name="rules_signatures"),
    path("rules/<uuid:pk>/", rules.rules, name="rules_version"),
    path("rules/<uuid:pk>/quiz/", rules.take_quiz, name="rules_quiz"),
    path("rules/<uuid:pk>/sign/", rules.sign, name="rules_sign"),
    path("subjects/", data_requests.search, name="data_requests"),
    path("subjects/<uuid:pk>/", data_requests.customer_data, name="customer_data"),
    path("subjects/<uuid:pk>/disclosure/", data_requests.disclose, name="customer_data_disclose"),
    path("subjects/<uuid:pk>/erasure/", data_requests.erase, name="customer_data_erase"),
    path("subjects/<uuid:pk>/holds/", data_requests.place, name="customer_data_hold_place"),
    path("subjects/<uuid:pk>/holds/<uuid:hold_pk>/release/", data_requests.release, name="customer_data_hold_release"),
    path("chat/", chat.chat_page, name="chat_page"),
    path("chat/news/", chat.chat_news, name="chat_news"),
    path("chat/files/<uuid:pk>/", chat_files.chat_file, name="chat_file"),
    path("chat/<str:token>/", chat.chat, name="chat_enter"),
    path("language/", set_language, name="language_set"),
]
