"""The base class and helpers of all API views. Nothing depends on the host's DRF defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.metadata import SimpleMetadata
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm_contact_guard.api import limits, problems, wire
from crm_contact_guard.api.authentication import authenticators
from crm_contact_guard.api.pagination import KeysetPagination
from crm_contact_guard.directory.mirror import employee_for
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.permissions import employee_or_refuse
from crm_contact_guard.tokens.models import ApiToken

Row = TypeVar("Row", bound=Model)


class OneOfOurs(BasePermission):
    """Allow active employees in the directory. ``permissions`` decides which rows each employee may see."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, ApiToken) or employee_for(request.user) is not None


class InScope(BasePermission):
    """Allow what the token's scopes allow. Other ways to authenticate have no scopes."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scope = scope_of(view, request.method or "")
        if not isinstance(request.auth, ApiToken) or scope in request.auth.scopes.split():
            return True
        raise OutOfScope(scope)


class OutOfScope(PermissionDenied):
    """The token isn't for this kind of request. The answer names the scope that is needed (RFC 6750 §3.1)."""

    default_code = "insufficient-scope"

    def __init__(self, scope: str) -> None:
        super().__init__(_("This token isn't for that: it lacks the scope %(scope)s.") % {"scope": scope})
        self.auth_header = f'Bearer error="insufficient_scope", scope="{scope}"'


def scope_of(view: Any, method: str) -> str:
    """Return the scope that a token needs for a method of a view, or a class of views."""
    return str(view.reading if method in ("GET", "HEAD", "OPTIONS") else view.writing)


class _Call(Request):
    """A request that never uses DRF's setting ``UNAUTHENTICATED_USER``.

    Its default comes from django.contrib.auth, which isn't installed in every project.
    """

    def _not_authenticated(self) -> None:
        # The host's own request keeps its user, since the host's middleware may read it after this view.
        self._authenticator = self._user = None
        self.auth = None


class GuardView(GenericAPIView[Any]):
    """Base class of all API views.

    It sets authentication, permissions, wire format, pagination, error handling and caching itself.
    """

    #: Scopes that a token needs for GET, and for other methods.
    reading: ClassVar[str] = "read"
    writing: ClassVar[str] = "send"
    permission_classes: Sequence[type[BasePermission]] = (OneOfOurs, InScope)
    parser_classes: tuple[type[BaseParser], ...] = (wire.JsonBody,)
    renderer_classes = (wire.Json,)
    content_negotiation_class = wire.OneRenderer
    throttle_classes = ()
    versioning_class = None
    metadata_class = SimpleMetadata
    pagination_class: type[KeysetPagination] | None = KeysetPagination
    filter_backends = ()
    schema = AutoSchema()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with speaking():
            answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
            # Render inside the context manager, where lazy strings are translated.
            return answer.render() if isinstance(answer, Response) else answer

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        return _Call(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    #: Headers about the rate limit.
    _told: Mapping[str, str] = MappingProxyType({})

    def check_throttles(self, request: Request) -> None:
        if self.permission_classes:
            try:
                self._told = limits.count(request)
            except limits.TooManyRequests as error:
                self._told = limits.headers(0, error.wait)
                raise

    def get_authenticators(self) -> list[BaseAuthentication]:
        return authenticators()

    def get_exception_handler(self) -> Callable[[Exception, Mapping[str, Any]], Response | None]:
        return problems.handle

    @cached_property
    def viewer(self) -> Employee:
        """The calling employee.

        A token belongs to one employee. The token's user may also be another employee, in another tenant.
        """
        if isinstance(self.request.auth, ApiToken):
            return self.request.auth.employee
        return employee_or_refuse(self.request.user)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        if getattr(response, "exception", False) and isinstance(response, Response):
            response.accepted_renderer = wire.Problem()
            response.accepted_media_type = wire.Problem.media_type
        patch_cache_control(final, private=True, no_cache=True)
        patch_vary_headers(final, ("Authorization", "Cookie", "Accept-Language"))
        final["X-Content-Type-Options"] = "nosniff"
        for name, value in self._told.items():
            final[name] = value
        return final

    def conditional(self, data: Any) -> HttpResponseBase:
        """Return one row with an ETag of the response body, or 304 if the caller already has that body."""
        body = wire.Json().render(data)
        etag = f'"{sha256(body).hexdigest()[:32]}"'
        response = Response(data, headers={"ETag": etag})
        return get_conditional_response(self.request, etag=etag, response=response) or response


def one_or_404(rows: QuerySet[Row], row_id: str) -> Row:
    """Return the row with this ID from ``rows``, which are those the viewer may see.

    Raises Http404 if there is no such row or the ID is malformed.
    """
    try:
        key = UUID(row_id)
    except ValueError:
        raise Http404 from None
    row = rows.filter(pk=key).first()
    if row is None:
        raise Http404
    return row


def require(allowed: bool, message: str) -> None:
    """Raise NotPermitted with ``message``, which is shown to the user, unless ``allowed``."""
    if not allowed:
        raise NotPermitted(message)
