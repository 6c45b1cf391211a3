"""A host whose DRF settings are of no use to anybody else: if one of them reached our views, they would not work."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from tests.settings import *  # noqa: F403

TIME_ZONE = "America/St_Johns"


class Refuse(BaseAuthentication):
    def authenticate(self, request: Any) -> None:
        raise AuthenticationFailed("only our own tokens")


class Nobody(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return False


REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tests.api.odd_host.Refuse"],
    "DEFAULT_PERMISSION_CLASSES": ["tests.api.odd_host.Nobody"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 1,
    "DEFAULT_FILTER_BACKENDS": ["rest_framework.filters.SearchFilter"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day", "user": "1/day"},
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "ALLOWED_VERSIONS": ["9"],
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "builtins.print",
    "DATETIME_FORMAT": "%d/%m",
    "DATETIME_INPUT_FORMATS": ["%d/%m"],
    "UNAUTHENTICATED_USER": None,
    "NON_FIELD_ERRORS_KEY": "oops",
    "COMPACT_JSON": False,
    "UNICODE_JSON": False,
    "URL_FORMAT_OVERRIDE": "f",
    "FORMAT_SUFFIX_KWARG": "pk",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.0.3",
    "TITLE": "The host's API",
    "SCHEMA_PATH_PREFIX_INSERT": "/elsewhere",
    "APPEND_PATHS": {"/host/": {}},
    "COMPONENT_SPLIT_REQUEST": True,
}
