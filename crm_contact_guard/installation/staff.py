"""Check that mirrored employees can open their inbox, by sending requests on their behalf through all middleware.

Their passwords aren't needed. Nothing is kept: the session is deleted, and the request's database writes are rolled
back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model, load_backend
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import override_settings
from django.urls import reverse

from crm_contact_guard import crm
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.hosting import database, host_rows
from crm_contact_guard.installation.addresses import APP
from crm_contact_guard.installation.doors import SEE, TOPIC, address, asked, door, is_marked
from crm_contact_guard.installation.report import Item, Level, fine, warning

_user: ContextVar[Any] = ContextVar("contact_guard_check_user")


class SetUser:
    """Middleware that signs in the employee being checked, for hosts whose own sign-in can't be imitated."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.user = _user.get()
        response: HttpResponseBase = self.get_response(request)
        return response


def staff_items() -> Iterator[Item]:
    """Request the inbox as one employee of each role that has an inbox."""
    for role in (Role.EMPLOYEE, Role.SUPERVISOR, Role.COMPLIANCE):
        employee = Employee.objects.filter(role=role, active=True, user__isnull=False).order_by("pk").first()
        if employee is None:
            continue
        with crm.tenant(employee.tenant):  # the user may be a tenant's row; the request enters no tenant
            user = employee.user
        if user is not None and user.is_authenticated:
            yield _inbox(employee, user)


def _inbox(employee: Employee, user: Any) -> Item:
    who = f"{_ARTICLES.get(employee.role, 'a')} {employee.role} ({employee.key})"
    with _nothing_kept(), _session(user) as cookies, _as(user):
        ask = partial(asked, "get", address("inbox"), cookies=cookies)
        answer = ask()
        if _is_ours(answer, 302):
            # Our page didn't receive the user, so the host signs people in by other means than Django's session.
            return _without_session(who)
        # The host may determine the tenant from something in the request that this request lacks.
        level = Level.WARNING if employee.tenant and crm.has_contexts(crm.adapter()) else Level.ERROR
        if _is_ours(answer, 403):
            return Item(
                level=level,
                topic=TOPIC,
                says=f"the inbox refuses {who}, who is mirrored",
                fix="see that the adapter's employee() and current_tenant() find this user in a page; "
                "docs/installation.md, Tenants",
            )
        location = answer.headers.get("Location", "")
        fix = f"let employees pass that middleware below {_prefix()}; {SEE}"
        if 300 <= answer.status_code < 400 and "login" not in location:
            level = Level.WARNING
            fix = f"fine if they come back after it (a second factor, for example); otherwise exempt {_prefix()}"
        return door(
            ask,
            partial(_is_ours, status=200),
            works=f"{who} opens the inbox",
            what=f"the inbox for {who}",
            fix=fix,
            level=level,
            # The search for the middleware disables some of the host's middleware, including its sign-in.
            last=(SET_USER,),
        )


def _without_session(who: str) -> Item:
    with override_settings(MIDDLEWARE=[*django_settings.MIDDLEWARE, SET_USER]):
        answer = asked("get", address("inbox"))
    if _is_ours(answer, 200):
        return fine(TOPIC, f"{who} opens the inbox, once the host's sign-in has set request.user")
    return warning(
        TOPIC,
        f"the inbox could not be requested as {who}: the host's sign-in can't be imitated ({answer.status_code})",
        f"sign in as such a person and open {reverse(f'{APP}:inbox')}",
    )


SET_USER = f"{__name__}.{SetUser.__name__}"
_ARTICLES = {str(Role.EMPLOYEE): "an"}


def _is_ours(answer: Any, status: int) -> bool:
    return bool(answer.status_code == status) and is_marked(answer)


def _prefix() -> str:
    return reverse(f"{APP}:dashboard")


@contextmanager
def _as(user: Any) -> Iterator[None]:
    token = _user.set(user)
    try:
        yield
    finally:
        _user.reset(token)


@contextmanager
def _session(user: Any) -> Iterator[Mapping[str, str]]:
    """Create a session as Django's login does, but without signals, and yield its cookie.

    Yield an empty mapping if the host has no sessions or if no authentication backend finds the user.
    """
    backend = _backend(user)
    try:
        session = import_module(django_settings.SESSION_ENGINE).SessionStore()
        if backend:
            session[SESSION_KEY] = user._meta.pk.value_to_string(user)
            session[BACKEND_SESSION_KEY] = backend
            if hasattr(user, "get_session_auth_hash"):
                session[HASH_SESSION_KEY] = user.get_session_auth_hash()
            session.save()
    except Exception:  # noqa: BLE001 - the app or its table is missing, or the cache can't be reached
        backend = ""
    if not backend:
        yield {}
        return
    try:
        yield {django_settings.SESSION_COOKIE_NAME: session.session_key}
    finally:
        session.delete()


def _backend(user: Any) -> str:
    """Return the path of the first authentication backend that finds the user; "" if there is none."""
    for path in django_settings.AUTHENTICATION_BACKENDS:
        # A backend whose app isn't installed can't be loaded, and the host's own backends may raise any exception.
        with suppress(Exception):
            if load_backend(path).get_user(user.pk) is not None:
                return path
    return ""


@contextmanager
def _nothing_kept() -> Iterator[None]:
    """Roll back the request's writes to our database, the users' database and the default database."""
    names = {"default", database.alias(), host_rows.source(get_user_model())}
    with ExitStack() as stack:
        for name in sorted(names):
            stack.enter_context(database.rolled_back(name))
        yield
