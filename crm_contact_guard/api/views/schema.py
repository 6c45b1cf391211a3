"""``schema/``: the OpenAPI description of this API only, under the host's URL prefix. It is public."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from threading import Lock
from typing import Any

from django.core.signals import setting_changed
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.translation import get_language
from drf_spectacular.drainage import get_override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from crm_contact_guard.api import wire
from crm_contact_guard.api.base import GuardView
from crm_contact_guard.api.schema import SETTINGS, described
from crm_contact_guard.api.serializers.inputs import Input

URLS = "crm_contact_guard.api.urls"
#: Defaults that replace the host's SPECTACULAR_SETTINGS.
_DEFAULTS = {
    name: value
    for name, value in SPECTACULAR_DEFAULTS.items()
    if not name.startswith("SERVE_") and name != "DEFAULT_GENERATOR_CLASS"
}
#: drf-spectacular's settings are one global object, which two requests must not change at once.
_lock = Lock()


class OpenApi(wire.Json):
    media_type = "application/vnd.oai.openapi+json"
    format = "openapi"


class Schema(GuardView):
    """Return the OpenAPI 3.1 description of the API."""

    permission_classes = ()
    renderer_classes = (OpenApi,)
    pagination_class = None

    @described(operation_id="schema", auth=[], responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> HttpResponseBase:
        prefix = reverse("crm_contact_guard:api-schema").removesuffix("/schema/")
        return self.conditional(openapi(prefix, get_language() or "en"))


@lru_cache(maxsize=16)
def openapi(prefix: str, language: str) -> dict[str, Any]:
    """Return the description with all paths under ``prefix``. It is cached, since generating it is slow."""
    with _lock, patched_settings({**_DEFAULTS, **SETTINGS, "SCHEMA_PATH_PREFIX_INSERT": prefix}):
        generator = SchemaGenerator(  # type: ignore[no-untyped-call]
            patterns=import_module(URLS).urlpatterns
        )
        schema = dict(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
    for name in _inputs(Input):
        if name in schema["components"]["schemas"]:
            schema["components"]["schemas"][name]["additionalProperties"] = False
    return schema


def _inputs(base: type[Input]) -> Iterator[str]:
    """Yield the names of components that reject unknown fields, which drf-spectacular can't detect."""
    for one in base.__subclasses__():
        yield get_override(one, "component_name", one.__name__.removesuffix("Serializer"))
        yield from _inputs(one)


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        openapi.cache_clear()


setting_changed.connect(_forget)
