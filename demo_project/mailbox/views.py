"""The demo's mail pages: choose a person, read mail, and answer as a guest. Open to everybody without login."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm_contact_guard.channels import registry
from demo_project.mailbox import store
from demo_project.mailbox.people import Person, everybody, person


def _root() -> Path:
    if settings.MAILBOX_FOLDER is None:
        raise Http404("mail goes to another system")
    return Path(settings.MAILBOX_FOLDER)


def _person(address: str) -> Person:
    match = person(_root(), address)
    if match is None:
        raise Http404("nobody has this address")
    return match


def _hotel_address() -> str:
    options = registry.channel("email").options
    return str(options["FROM"])


def people(request: HttpRequest) -> HttpResponse:
    """All people with an address."""
    return render(request, "mailbox/people.html", {"people": everybody(_root())})


def box(request: HttpRequest, address: str) -> HttpResponse:
    """One person's mail, newest first."""
    owner = _person(address)
    return render(
        request,
        "mailbox/box.html",
        {"person": owner, "letters": store.letters(_root(), owner.address), "hotel": _hotel_address()},
    )


def mail(request: HttpRequest, address: str, key: str) -> HttpResponse:
    """One mail, and a form to answer it."""
    owner = _person(address)
    letter = store.letter(_root(), owner.address, key)
    if letter is None:
        raise Http404("no such mail")
    return render(request, "mailbox/mail.html", {"person": owner, "letter": letter})


@require_POST
def write(request: HttpRequest, address: str) -> HttpResponse:
    """Send a guest's mail by SMTP: an answer to the mail ``key``, or a new mail to the hotel."""
    owner = _person(address)
    if not owner.is_guest:
        raise Http404("the staff writes in the CRM")
    answered = store.letter(_root(), owner.address, request.POST.get("key", ""))
    outgoing = _compose(owner, answered, request.POST.get("subject", ""), request.POST.get("text", ""))
    try:
        with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=30) as connection:
            connection.send_message(outgoing, from_addr=owner.address)
    except (OSError, smtplib.SMTPException) as error:
        text = _("The mail was rejected. The mail system answered: %(error)s") % {"error": error}
        messages.error(request, f"{text}\n\n{request.POST.get('text', '')}")
    else:
        messages.success(request, _("Sent to %(address)s.") % {"address": outgoing["To"]})
    if answered is not None:
        return redirect("mailbox_mail", owner.address, answered.key)
    return redirect("mailbox_person", owner.address)


def _compose(owner: Person, answered: store.Letter | None, subject: str, text: str) -> EmailMessage:
    """A mail as mail programs write it: with the original quoted below, and the headers of the thread."""
    outgoing = EmailMessage()
    outgoing["From"] = owner.sender
    outgoing["Date"] = formatdate(localtime=True)
    outgoing["Message-ID"] = make_msgid(domain=owner.address.rpartition("@")[2])
    if answered is None:
        outgoing["To"] = _hotel_address()
        outgoing["Subject"] = " ".join(subject.split())[:200]
        outgoing.set_content(text.replace("\r\n", "\n"))
        return outgoing
    outgoing["To"] = answered.reply_to
    plain = " ".join(answered.subject.split())
    outgoing["Subject"] = plain if plain.lower().startswith("re:") else f"Re: {plain}"
    outgoing["In-Reply-To"] = answered.message_id
    outgoing["References"] = f"{answered.references} {answered.message_id}".strip()
    when = timezone.localtime(answered.received_at).strftime("%Y-%m-%d %H:%M")
    quoted = "".join(f"> {line}\n" for line in answered.text.strip().split("\n"))
    head = f"On {when}, {answered.sender} <{answered.sender_address}> wrote:"
    outgoing.set_content(text.replace("\r\n", "\n") + f"\n\n{head}\n{quoted}")
    return outgoing
