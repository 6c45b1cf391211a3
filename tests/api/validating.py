"""Each answer that a test of the API gets is compared with the description."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpResponse
from jsonschema import Draft202012Validator

from crm_contact_guard.api.views.schema import openapi

#: What any operation may answer, and what isn't described one by one.
_ANYWHERE = (304, 405)


@cache
def described() -> dict[str, Any]:
    """The description, made once: it doesn't depend on what tests configure."""
    return openapi("/guard/api/v1", "en")


@cache
def _validator(template: str, method: str, status: str, content: str) -> Draft202012Validator | None:
    answers = described()["paths"][template].get(method, {}).get("responses")
    if answers is None:
        return None  # nobody may: the test asks for the refusal
    assert status in answers, f"{method} {template} doesn't say that it answers {status}"
    types = answers[status].get("content", {})
    if "*/*" in types:
        return None
    assert content in types, f"{method} {template} answers {status} as {content}"
    if not content.endswith("json"):
        return None
    return Draft202012Validator({**types[content]["schema"], "components": described()["components"]})


def validate(response: HttpResponse, method: str) -> None:
    """Fail unless the schema describes the response's status and content type, and the content is valid."""
    match = getattr(response, "resolver_match", None)
    if match is None or response.status_code in _ANYWHERE:
        return
    template = "/" + match.route.replace("<str:pk>", "{id}")
    content = response["Content-Type"].split(";")[0]
    validator = _validator(template, method.lower(), str(response.status_code), content)
    if validator is not None and not response.streaming:
        validator.validate(response.json())  # type: ignore[attr-defined]
