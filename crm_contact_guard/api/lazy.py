"""Views that are imported by the first call of the API.

The REST framework and what describes the schema take longer to import than all the rest; a host's management commands,
and processes that serve no API, do not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from rest_framework.views import APIView

VIEWS = "crm_contact_guard.api.views"


class LazyView:
    """What a URL pattern calls in place of ``APIView.as_view()``; ``name`` is below ``crm_contact_guard.api.views``.

    Middleware sees at it what it would see at the view. Raises ImportError when called, if there is no such view.
    """

    # Sessions are held to the CSRF check by the view's own authentication, as everywhere in the REST framework.
    csrf_exempt = True
    # Who may come in is decided by the view, which also takes tokens.
    login_required = False
    #: The schema's generator asks for this, and for ``cls``.
    initkwargs: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, name: str) -> None:
        module, self.__name__ = f"{VIEWS}.{name}".rsplit(".", 1)
        self.__module__, self.__qualname__ = module, self.__name__

    @cached_property
    def cls(self) -> type[APIView]:
        view: type[APIView] = import_string(f"{self.__module__}.{self.__name__}")
        return view

    @cached_property
    def _view(self) -> Callable[..., HttpResponseBase]:
        return self.cls.as_view()

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self._view(request, *args, **kwargs)
