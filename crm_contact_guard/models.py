"""All models of the app, collected for Django from the packages that define them."""

from crm_contact_guard.conversations.desk.models import Draft, Presence
from crm_contact_guard.conversations.models import CarrierEventId, ChatLink
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.delivery.models import Carrier, Delivery, IdempotencyKey, Wait
from crm_contact_guard.directory.models import Absence, Address, Customer, Employee, Team
from crm_contact_guard.exports.jobs.models import ExportJob, ExportSchedule
from crm_contact_guard.figures.models import Figure, FigureMark
from crm_contact_guard.files.models import Attachment, Media
from crm_contact_guard.notices.models import Notice, NoticePreference
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.closing.models import AutoAnswer
from crm_contact_guard.policy.known_rules.models import Acknowledgement, RulesQuestion, RulesVersion
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Conversation, ErasurePermit, Event, Message, Pending
from crm_contact_guard.sealing.models import Seal, Tile, TreeHead, Witnessing
from crm_contact_guard.search.models import SearchEntry
from crm_contact_guard.supervision.cases.models import (
    Case,
    CaseEntry,
    CaseEvidence,
    CaseLetter,
    CaseParticipant,
    CaseTask,
)
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.models import Alert, Finding, Inspection
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.quality.models import SampleDraw, SampledTalk, SecondReview
from crm_contact_guard.supervision.queue_views.models import QueueView
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.tokens.models import ApiToken, Creation

__all__ = [
    "Absence",
    "Acknowledgement",
    "Address",
    "Alert",
    "ApiToken",
    "Attachment",
    "AutoAnswer",
    "Carrier",
    "CarrierEventId",
    "Case",
    "CaseEntry",
    "CaseEvidence",
    "CaseLetter",
    "CaseParticipant",
    "CaseTask",
    "ChatLink",
    "Consultation",
    "Conversation",
    "Creation",
    "Customer",
    "Delivery",
    "Draft",
    "Employee",
    "ErasurePermit",
    "Event",
    "ExportJob",
    "ExportSchedule",
    "Figure",
    "FigureMark",
    "Finding",
    "FlagRemark",
    "IdempotencyKey",
    "Inspection",
    "LegalHold",
    "Media",
    "Message",
    "Notice",
    "NoticePreference",
    "Pending",
    "PolicyVersion",
    "Presence",
    "QueueView",
    "ReaderAnswer",
    "Restriction",
    "RuleTrial",
    "RulesQuestion",
    "RulesVersion",
    "SampleDraw",
    "SampledTalk",
    "Seal",
    "SearchEntry",
    "SecondReview",
    "Team",
    "Tile",
    "TreeHead",
    "UnusualReading",
    "Wait",
    "Witnessing",
    "WorkCalendar",
]
