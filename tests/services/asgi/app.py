"""The host's ASGI application."""

from collections.abc import Awaitable, Callable

from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import async_only_middleware

Asked = Callable[[HttpRequest], Awaitable[HttpResponse]]


@async_only_middleware
def marked(get_response: Asked) -> Asked:
    async def middleware(request: HttpRequest) -> HttpResponse:
        response = await get_response(request)
        response["X-Asynchronous"] = "yes"
        return response

    return middleware


application = get_asgi_application()
