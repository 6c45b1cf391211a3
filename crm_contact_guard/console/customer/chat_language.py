"""The language of the web chat: the one that the customer chose on the page, else the browser's, else the CRM's."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation

from crm_contact_guard.hosting.languages import SPOKEN, spoken
from crm_contact_guard.record.models import Conversation

COOKIE = "contact_guard_chat_language"
#: Number of languages of the browser that are looked at.
_MOST = 10


def language_of(request: HttpRequest, conversation: Conversation) -> str:
    """Return the code of the page's language; "" if nobody has said one that the package speaks."""
    chosen = request.COOKIES.get(COOKIE, "")
    known = conversation.customer.language if translation.check_for_language(conversation.customer.language) else ""
    return chosen if chosen in SPOKEN else _of_browser(request) or known


def _of_browser(request: HttpRequest) -> str:
    """Return the first language of the Accept-Language header that the package speaks. Browsers list the best first."""
    wanted = [part.split(";")[0].strip() for part in request.headers.get("Accept-Language", "").split(",")[:_MOST]]
    return next((code for code in wanted if code.split("-")[0].lower() in SPOKEN), "")


def others() -> list[tuple[str, str]]:
    """Return the codes and native names of the languages other than the active one."""
    active = spoken().split("-")[0]
    return [(code, translation.get_language_info(code)["name_local"]) for code in SPOKEN if code != active]


def remember(response: HttpResponse, request: HttpRequest, code: str) -> None:
    """Keep the customer's choice in a cookie of the chat page."""
    if code in SPOKEN:
        path = reverse("crm_contact_guard:chat_page")
        response.set_cookie(COOKIE, code, path=path, secure=request.is_secure(), httponly=True, samesite="Lax")
