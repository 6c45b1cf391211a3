"""The composer: gathering the data it shows and sending its message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard import gateway, permissions
from crm_contact_guard.channels import registry
from crm_contact_guard.console.conversation import channel_choices, thread
from crm_contact_guard.console.conversation.advice import Advice, advise, kind_refusal
from crm_contact_guard.console.conversation.typed import Typed
from crm_contact_guard.console.page import Shown
from crm_contact_guard.conversations.chat_links import has_link
from crm_contact_guard.conversations.desk import drafts, meanwhile
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.conversations.restrictions.standing import name_shown, of_customer
from crm_contact_guard.delivery.health import down
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files import uploads
from crm_contact_guard.hosting.languages import spoken
from crm_contact_guard.policy import hours, templates
from crm_contact_guard.policy.decision import WITHOUT_WORDS, Override, OverrideCode
from crm_contact_guard.policy.limits import Limits, limits
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.showing import shown

OVERRIDES = (
    (OverrideCode.COMPANY_CONTACT.value, gettext_lazy("It is one of our own contacts")),
    (OverrideCode.CUSTOMER_ASKED.value, gettext_lazy("The customer needs it for this service")),
    (OverrideCode.MISTAKE.value, gettext_lazy("This is a mistake of the detector")),
    (OverrideCode.MISUNDERSTOOD.value, gettext_lazy("It was misunderstood: nothing private is meant")),
    (OverrideCode.EMERGENCY.value, gettext_lazy("It is an emergency")),
    (OverrideCode.OTHER.value, gettext_lazy("Another reason")),
)


@dataclass(frozen=True)
class Blank:
    """The form field for one variable of a text block."""

    name: str
    label: str
    value: str


@dataclass(frozen=True)
class Block:
    """The chosen text block: its text with the variables filled in so far, and the form fields for the variables."""

    text: str
    language: str
    blanks: Sequence[Blank]


@dataclass(frozen=True)
class Composer(Shown):
    """The form for writing a message. ``advice`` is None if there is no advice about the text."""

    template = "parts/composer.html"

    conversation: Conversation
    typed: Typed
    channels: Sequence[channel_choices.Choice]
    may_write: bool
    #: Whether the customer has a valid link to the web chat.
    has_link: bool
    off_duty: bool
    #: The time of day where the customer is, if it differs from the viewer's.
    customer_now: time | None
    back: str = ""
    advice: Advice | None = None
    error: str = ""
    #: The field that the error is about.
    error_field: str = ""
    sent: bool = False
    #: The current limits of the chosen channel; None if no channel can be chosen.
    limits: Limits | None = None
    blocks: Sequence[templates.Template] = ()
    block: Block | None = None
    #: Whether files must be chosen again, since browsers don't keep them.
    files_gone: bool = False
    #: Whether the text is what the employee had begun to write.
    drafted: bool = False
    #: What came in between since the writer saw the conversation last.
    between: Sequence[Message] = ()
    #: A kind refusal, in the customer's language, if the customer asks for a private contact; else "".
    refusal: str = ""
    #: When the employee's working time begins, if it isn't now.
    opening: datetime | None = None

    @property
    def refusal_language(self) -> str:
        return spoken(self.conversation.customer.language)

    @property
    def between_texts(self) -> Sequence[tuple[Message, str]]:
        return [(message, shown(message.text)) for message in self.between]

    @property
    def refused(self) -> Sequence[str]:
        return channel_choices.refused(self.conversation.customer)

    @property
    def waits(self) -> bool:
        """Whether the chosen channel's carrier currently accepts no messages."""
        return any(found.channel.alias == self.typed.channel for found in down())

    @property
    def overrides(self) -> Sequence[tuple[str, Any]]:
        return OVERRIDES

    @property
    def takes_subject(self) -> bool:
        return any(choice.takes_subject for choice in self.channels)

    @property
    def chosen(self) -> channel_choices.Choice | None:
        """The chosen channel."""
        return next((choice for choice in self.channels if choice.alias == self.typed.channel), None)

    @property
    def unreached(self) -> bool:
        """Whether the chosen channel is the web chat, and the customer has no valid link to it."""
        return self.chosen is not None and self.chosen.is_chat and not self.has_link


@dataclass(frozen=True)
class Known:
    """What a page has looked up already."""

    may_write: bool
    limited: Sequence[Restriction]
    #: ID of the newest message; None if the page doesn't show it.
    seen: str | None
    has_link: bool
    refusal: str


def composer_for(
    viewer: Employee,
    conversation: Conversation,
    *,
    typed: Typed | None = None,
    back: str = "",
    channel: str = "",
    known: Known | None = None,
) -> Composer:
    """Return a composer, filled in with ``typed`` or else with the viewer's draft."""
    known = known or Known(
        may_write=permissions.may_write(viewer, conversation),
        limited=of_customer(conversation.customer),
        seen=None,
        has_link=has_link(conversation),
        refusal=kind_refusal(conversation),
    )
    only = next((row.channel for row in known.limited if row.kind == Restriction.Kind.CHANNEL), "")
    offered = [one for one in channel_choices.choices(conversation.customer) if only in ("", one.alias)]
    draft = drafts.draft_of(conversation, viewer) if typed is None and known.may_write else ""
    if typed is None:
        seen = known.seen if known.seen is not None else meanwhile.newest(conversation)
        typed = Typed(text=draft, subject=conversation.subject, channel=channel, seen=seen)
    if typed.channel not in [choice.alias for choice in offered]:
        typed = replace(typed, channel=channel_choices.usual(conversation, offered))
    now = timezone.now()
    off_duty = not hours.is_working_time(viewer, now)
    template = templates.find(typed.template) if typed.template else None
    if template is None and typed.template:
        typed = replace(typed, template="", variables={})
    return Composer(
        conversation=conversation,
        typed=typed,
        channels=offered,
        may_write=known.may_write,
        has_link=known.has_link,
        drafted=bool(draft),
        refusal=known.refusal,
        off_duty=off_duty,
        opening=hours.working_time_of(viewer).next_open(now) if off_duty and known.may_write else None,
        customer_now=customer_now(conversation, viewer, now),
        back=back,
        limits=limits(conversation, registry.channel(typed.channel)) if typed.channel else None,
        blocks=templates.all_templates(),
        block=_block(template, typed, conversation, viewer) if template is not None else None,
    )


def _block(template: templates.Template, typed: Typed, conversation: Conversation, viewer: Employee) -> Block:
    language = template.language_for(conversation.customer.language)
    wanted = template.variables(language)
    shown = {name: typed.variables.get(name, "").strip() or f"[{name}]" for name in wanted}
    chosen = templates.Chosen(name=template.name, language=language, variables=shown)
    signed = name_shown(viewer, conversation.customer)
    return Block(
        text=templates.fill(chosen, customer=conversation.customer, signed=signed).text,
        language=language,
        blanks=[Blank(name, name.replace("_", " "), typed.variables.get(name, "")) for name in wanted],
    )


def customer_now(conversation: Conversation, viewer: Employee, now: datetime) -> time | None:
    """Return the customer's local time of day if it differs from the viewer's, else None."""
    name = conversation.customer.timezone
    if not name:
        return None
    local = now.astimezone(hours.zone_named(name))
    # A time of day, since templates would convert a moment to the viewer's time zone.
    return local.time() if local.utcoffset() != now.astimezone(hours.zone(viewer)).utcoffset() else None


def send(viewer: Employee, composer: Composer, uploaded: Sequence[UploadedFile[Any]] = ()) -> Composer:
    """Send the message in a composer.

    Return an empty composer if the message was sent. Otherwise, return one that keeps the text and gives the reason.
    Raises NotPermitted.
    """
    typed = composer.typed
    composer = replace(composer, files_gone=bool(uploaded))
    between = [] if typed.emergency else meanwhile.since(composer.conversation, typed.seen, viewer)
    if between:
        words = _("Something came in before this was sent. Read it, then send or change your message.")
        return replace(composer, error=words, between=between, typed=replace(typed, seen=str(between[-1].pk)))
    override, missing = _override(typed)
    try:
        attached = uploads.read(uploaded, registry.channel(typed.channel)) if uploaded and typed.channel else []
        sent = gateway.send(
            actor=viewer,
            conversation=composer.conversation,
            text=typed.text,
            channel=typed.channel,
            subject=typed.subject.strip()[:255] if _takes_subject(composer) else "",
            attachments=attached,
            template=typed.chosen,
            override=override,
            emergency=typed.emergency,
            send_at=typed.time_chosen(),
            replaces=thread.message_of(composer.conversation, typed.replaces) if typed.replaces else None,
            idempotency_key=typed.idempotency_key(attached),
        )
    except InvalidMessage as error:
        return replace(composer, error=str(error), error_field=error.field)
    if sent.message is None:
        text = typed.text if composer.block is None else composer.block.text
        kept = replace(composer, advice=advise(sent, text, composer.conversation))
        return replace(kept, error=missing, error_field="override") if missing else kept
    drafts.draft_forget(conversation=composer.conversation, actor=viewer)
    composer.conversation.refresh_from_db()
    fresh = composer_for(viewer, composer.conversation, back=composer.back, channel=typed.channel)
    return replace(fresh, sent=True)


def _takes_subject(composer: Composer) -> bool:
    return composer.chosen is not None and composer.chosen.takes_subject


def _override(typed: Typed) -> tuple[Override | None, str]:
    """Return the employee's reason for sending the message despite the advice.

    If the reason is missing or incomplete, return None and a message that says what to enter.
    """
    if not typed.override_code:
        return None, _("Choose a reason to go on.") if typed.override_text else ""
    if typed.override_code not in [code.value for code in OverrideCode]:
        return None, _("Choose a reason to go on.")
    code = OverrideCode(typed.override_code)
    if code not in WITHOUT_WORDS and not typed.override_text:
        return None, _("Say in a few words why it is fine to send this.")
    return Override(code=code, text=typed.override_text), ""
