"""Authentication for the API: this app's bearer tokens, the host's session, and other classes the host configures."""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.tokens import issuing as tokens
from crm_contact_guard.tokens.models import ApiToken


class BearerAuthentication(BaseAuthentication):
    """Authenticate ``Authorization: Bearer ccg_…`` (RFC 6750).

    Requests with another scheme or another kind of bearer token are left to the other authentication classes.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        scheme, _space, text = request.headers.get("Authorization", "").strip().partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text.startswith(tokens.PREFIX):
            return None
        token = tokens.token_find(text, request.META.get("REMOTE_ADDR", ""))
        user = token.employee.user if token is not None else None
        if token is None or user is None or not getattr(user, "is_active", True):
            raise AuthenticationFailed(_("This token is unknown, expired or revoked, or not for use from here."))
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="contact guard"'


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The description of this app's tokens in the OpenAPI schema."""

    target_class = BearerAuthentication
    name = "bearerToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}


def authenticators() -> list[BaseAuthentication]:
    """Return this app's authenticators, then the host's. The first one determines the challenge of a 401 response.

    Raises ConfigurationError for a path that can't be imported.
    """
    found: list[BaseAuthentication] = [BearerAuthentication(), SessionAuthentication()]
    for path in settings.API_AUTHENTICATION_CLASSES:
        try:
            found.append(import_string(path)())
        except ImportError as error:
            raise ConfigurationError(f'CONTACT_GUARD["API_AUTHENTICATION_CLASSES"] has {path!r}: {error}') from error
    return found
