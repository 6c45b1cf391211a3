"""The installation page lists the URL names of all addresses that are called without an account."""

from __future__ import annotations

import re
from pathlib import Path

from django.urls import URLPattern, get_resolver

PAGE = Path(__file__).parents[2] / "docs" / "installation.md"


def test_no_public_name_is_missing() -> None:
    patterns = get_resolver("crm_contact_guard.urls").url_patterns
    included = [inner for found in patterns if not isinstance(found, URLPattern) for inner in found.url_patterns]
    named = {str(found.name) for found in [*patterns, *included] if isinstance(found, URLPattern)}
    public = re.compile(r"(chat_(enter|page|news|file)|webhook|carrier_file|health(_\w+)?|metrics|api-.+)\Z")
    table = re.search(r"^\| Address \| URL name.*?\n\n", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert table

    told = set(re.findall(r"`(?:crm_contact_guard:|:)?([\w-]+)`", table[0])) - {"api-"}

    assert {name for name in named if public.match(name)} == told
