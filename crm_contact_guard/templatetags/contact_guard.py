"""Template tags. Hosts use ``contact_guard_assets`` and ``contact_guard_panel``; this app's pages use the others.

{% load contact_guard %}
<head>… {% contact_guard_assets %}</head>
<body>… {% contact_guard_panel guest %}</body>
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm_contact_guard.console import times
from crm_contact_guard.console.conversation import channel_choices
from crm_contact_guard.console.panel import assets, panel
from crm_contact_guard.directory.addresses import key_of
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.showing import shown
from crm_contact_guard.supervision.titles import alert_title

register = template.Library()


@register.simple_tag(takes_context=True)
def contact_guard_assets(context: template.Context, htmx: bool = True, chat: bool = False) -> SafeString:
    """Return links to this app's styles and scripts. Nothing is inline.

    ``htmx=False`` leaves out htmx, for pages that already load htmx 2. The links carry the nonce of the host's content
    security policy, if there is one.
    """
    return assets(_request(context), htmx=htmx, chat=chat)


@register.simple_tag(takes_context=True)
def contact_guard_panel(context: template.Context, customer: object) -> SafeString:
    """Return the conversation with a customer of the host, including the composer, for the signed-in user.

    The result is empty if the user has no role in the contact guard. The template must be rendered with its request.
    """
    return panel(_request(context), customer)


def _request(context: template.Context) -> HttpRequest | None:
    """Return the request, even if the host's template engine has no context processor that adds it."""
    request: HttpRequest | None = context.get("request") or getattr(context, "request", None)
    return request


@register.simple_tag
def cg_icon(name: str) -> SafeString:
    return format_html(
        '<svg class="cg-icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("crm_contact_guard/vendor/lucide-sprite.svg"),
        name,
    )


def _time(at: datetime | None, words: str, extra: str = "") -> SafeString:
    if at is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>', at.isoformat(), times.exact(at), SafeString(extra), words
    )


@register.simple_tag
def cg_ago(at: datetime | None) -> SafeString:
    """Return the time relative to now if it is today, otherwise date and time. The page keeps it up to date."""
    return _time(at, times.ago(at) if at else "", " data-cg-ago")


@register.simple_tag
def cg_when(at: datetime | None) -> SafeString:
    return _time(at, times.when(at) if at else "")


@register.simple_tag
def cg_clock(at: datetime | None) -> SafeString:
    return _time(at, times.clock(at) if at else "")


@register.simple_tag
def cg_lasting(since: datetime | None) -> SafeString:
    """Return the time that has passed since ``since``. The page keeps it up to date."""
    return _time(since, times.lasting(since) if since else "", " data-cg-lasting")


@register.filter
def cg_day(on: date) -> str:
    return times.day(on)


@register.filter
def cg_title(alert: Alert) -> str:
    return alert_title(alert)


@register.filter
def cg_shown(text: str | None) -> str:
    """Return recorded text with sensitive data masked, as staff see it."""
    return shown(text)


@register.filter
def cg_key(key: str | None) -> str:
    """Return the host's key for a customer, masked if it is an email address."""
    return key_of(key) or ""


@register.filter
def cg_channel(alias: str) -> Any:
    return channel_choices.label(alias)
