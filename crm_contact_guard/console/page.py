"""Functionality shared by all staff pages: sign-in, roles, language, time zone, headers and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, ClassVar, Concatenate, Literal, ParamSpec, TypeAlias
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from crm_contact_guard import permissions
from crm_contact_guard.conf import settings
from crm_contact_guard.console.headers import protect
from crm_contact_guard.console.menu import OWNERS, Menu, menu_of
from crm_contact_guard.console.nonces import nonce_used
from crm_contact_guard.directory.mirror import employee_for
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.hosting import languages
from crm_contact_guard.notices import listing
from crm_contact_guard.policy import hours
from crm_contact_guard.policy.known_rules.publishing import Mine, mine
from crm_contact_guard.policy.known_rules.rights import may_publish
from crm_contact_guard.policy.known_rules.showing import title_of
from crm_contact_guard.supervision.unread.telling import UNREAD

P = ParamSpec("P")
#: A view that takes the request and the viewing employee.
View: TypeAlias = Callable[Concatenate[HttpRequest, Employee, P], HttpResponseBase]


class Shown:
    """Base class for template data. Each of our templates reads an instance of a frozen subclass, named ``page``.

    ``template`` is relative to ``templates/crm_contact_guard/``. Subclasses for parts of a page may omit it.
    """

    template: ClassVar[str]

    @property
    def language(self) -> str:
        """The language of our text, for the ``lang`` attribute."""
        return languages.spoken()


@dataclass(frozen=True)
class Refused(Shown):
    """Why a page was refused, and what the user had typed, since it isn't stored anywhere else."""

    template = "refused.html"

    reason: Literal["role", "row", "missing"]
    detail: str = ""
    typed: str = ""


@dataclass(frozen=True)
class Frame:
    """The frame around a page: base template, navigation and account. Templates read it by the name ``guard``.

    ``viewer`` is None for users without a role.
    """

    request: HttpRequest
    viewer: Employee | None

    @property
    def base(self) -> str:
        return str(settings.BASE_TEMPLATE)

    @property
    def company(self) -> str:
        return settings.company_name

    @cached_property
    def menu(self) -> Menu:
        """The pages that the viewer may use."""
        publishes = self.viewer is not None and (self.rules.version is not None or may_publish(self.viewer))
        return menu_of(self.viewer, rules=publishes)

    @cached_property
    def unread(self) -> int:
        """The number of the viewer's unread notices."""
        return len(self._unread_topics)

    @cached_property
    def _unread_topics(self) -> list[str]:
        return listing.unread_topics(self.viewer) if self.viewer is not None else []

    @cached_property
    def unseen(self) -> int:
        """The number in the page's title: unread notices, and unread messages of the viewer's customers."""
        if self.viewer is None:
            return 0
        rows = permissions.own_conversations(self.viewer)
        # A notice of a message is about what is counted here anyway.
        notices = sum(topic != UNREAD for topic in self._unread_topics)
        return notices + (rows.aggregate(unread=Sum("unread"))["unread"] or 0)

    @cached_property
    def rules(self) -> Mine:
        """The rules that apply to the viewer."""
        return mine(self.viewer) if self.viewer is not None else Mine(None, unsigned=False)

    @property
    def unsigned(self) -> str:
        """The title of the rules that the viewer still has to sign; "" if there are none."""
        return title_of(self.rules.version) if self.rules.version is not None and self.rules.unsigned else ""

    @property
    def section(self) -> str:
        """The navigation entry that the page belongs to."""
        match = self.request.resolver_match
        name = (match.url_name if match is not None else "") or ""
        return OWNERS.get(name, name)

    @property
    def language(self) -> str:
        return languages.spoken()

    @property
    def languages(self) -> list[tuple[str, str]]:
        """Codes and native names of the other languages that both the host and this app support."""
        active = self.language.split("-", maxsplit=1)[0]
        offered = {code.split("-", maxsplit=1)[0]: code for code, _name in django_settings.LANGUAGES}
        return [
            (offered[code], translation.get_language_info(code)["name_local"])
            for code in languages.SPOKEN
            if code in offered and code != active
        ]

    @property
    def logout_url(self) -> str:
        return resolve_url(settings.LOGOUT_URL) if settings.LOGOUT_URL else ""


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def show(request: HttpRequest, viewer: Employee | None, page: Shown, *, status: int = 200) -> HttpResponse:
    """Render a page within its frame, immediately, since language and time zone are active only during the view."""
    frame = Frame(request, viewer)
    return render(request, f"crm_contact_guard/{page.template}", {"guard": frame, "page": page}, status=status)


@contextmanager
def speaking(request: HttpRequest, viewer: Employee) -> Iterator[None]:
    """Activate the viewer's language and time zone.

    If the host uses LocaleMiddleware, the language is already set. Otherwise, it is the one chosen with our language
    switch, or else the one that the directory has for the viewer.
    """
    chosen = request.COOKIES.get(django_settings.LANGUAGE_COOKIE_NAME, "") or viewer.language
    if hasattr(request, "LANGUAGE_CODE") or not (chosen and translation.check_for_language(chosen)):
        chosen = ""
    with languages.speaking(chosen), timezone.override(hours.zone(viewer)):
        yield


def page(
    *methods: str,
) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Turn a view that takes the request and the viewing employee into a staff page.

    - Users who aren't signed in are redirected to the login page. Requests for a fragment get a 401 instead, since a
      login form must not be swapped into a page.
    - Users without a role or permission get a 403, which says whom to ask for access.
    - Rows that the viewer may not see are reported as missing, with a 404.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @_guarded
        @require_http_methods(methods or ("GET", "HEAD"))
        @wraps(view)
        def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            user = getattr(request, "user", None)
            if user is None or not user.is_authenticated:
                return _sign_in(request)
            viewer = employee_for(user)
            if viewer is None:
                with languages.speaking():
                    return protect(show(request, None, Refused("role"), status=403), nonce=nonce_used(request))
            with speaking(request, viewer):
                answer = _answer(view, request, viewer, *args, **kwargs)
                return protect(answer, nonce=nonce_used(request))

        return wrapped

    return decorate


def _guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Protect a view against cross-site request forgery, whether or not the host has CSRF middleware."""
    protected = csrf_protect(view)

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # If the host's middleware has already checked the request, it also sets the cookie, possibly by its own rules,
        # such as a separate domain for each of its sites. Django's decorator would set the cookie first.
        looked = getattr(request, "csrf_processing_done", False)
        return (view if looked else protected)(request, *args, **kwargs)

    return wrapped


def _answer(
    view: View[P],
    request: HttpRequest,
    viewer: Employee,
    *args: P.args,
    **kwargs: P.kwargs,
) -> HttpResponseBase:
    # Return what the user typed with the refusal, since it isn't stored anywhere else.
    typed = next(filter(None, map(request.POST.get, ("text", "comment", "reason"))), "")
    try:
        return view(request, viewer, *args, **kwargs)
    except NotPermitted as error:
        return show(request, viewer, Refused("row", str(error), typed), status=403)
    except Http404:
        return show(request, viewer, Refused("missing", typed=typed), status=404)


def _sign_in(request: HttpRequest) -> HttpResponse:
    if is_htmx(request):
        return protect(HttpResponse(status=401))
    login = urlsplit(resolve_url(settings.LOGIN_URL or django_settings.LOGIN_URL))
    back = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("crm_contact_guard:dashboard")
    # Equivalent to Django's redirect_to_login, whose module can be imported only if django.contrib.auth is installed.
    query = QueryDict(login.query, mutable=True)
    query[REDIRECT_FIELD_NAME] = back
    return protect(HttpResponseRedirect(login._replace(query=query.urlencode(safe="/")).geturl()))
