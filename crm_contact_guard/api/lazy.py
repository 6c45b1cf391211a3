"""Views that are imported when the API is first called.

Django REST framework and drf-spectacular take longer to import than everything else together. Management commands, and
processes that don't serve the API, don't have to wait for them.
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
    """A callable for URL patterns in place of ``APIView.as_view()``.

    ``name`` is the view's dotted path below ``crm_contact_guard.api.views``. Middleware finds the same attributes here
    as on the view itself. Raises ImportError when called if there is no such view.
    """

    # The view's session authentication performs the CSRF check, as always in Django REST framework.
    csrf_exempt = True
    # The view itself authenticates callers, since it also accepts tokens.
    login_required = False
    #: Read by the schema generator, as is ``cls``.
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
