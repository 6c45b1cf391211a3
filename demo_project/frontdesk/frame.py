"""Context for the frame of every CRM page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext_lazy as _

from demo_project.frontdesk.models import User


@dataclass(frozen=True)
class Tab:
    url: str
    label: str | Promise
    current: bool


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the tabs, which include the plugin's pages, and the other languages."""
    path = request.path
    user = request.user if hasattr(request, "user") else None
    tabs: list[Tab] = []
    if user is not None and user.is_authenticated:
        guard = reverse("crm_contact_guard:inbox")
        watches = user.role != User.Role.STAFF
        if watches:
            guard = reverse("crm_contact_guard:dashboard")
        tabs = [
            Tab(reverse("home"), _("Today"), path == reverse("home")),
            Tab(reverse("guests"), _("Guests"), path.startswith(reverse("guests"))),
            Tab(guard, _("Messages") if not watches else _("Contact guard"), path.startswith("/guard/")),
        ]
    if settings.MAILBOX_FOLDER is not None:
        tabs.append(Tab(reverse("mailbox"), _("Demo mail"), path.startswith("/mailbox/")))
    active = (get_language() or "en").split("-")[0]
    languages = [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES if code != active]
    return {"tabs": tabs, "other_languages": languages}
