"""Strategies for what may arrive from outside: texts, bytes, JSON, and genuine payloads with something replaced."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.mails import IN_HEADERS, IN_HTML, IN_TEXT, KNOWN, mails

FIXTURES = Path(__file__).parents[1] / "channels" / "fixtures"

#: Lone surrogates among them, as JSON and some carriers deliver them.
characters = st.characters(exclude_categories=())
_repeated = st.builds(
    lambda fragment, times: fragment * times,
    st.sampled_from((*IN_TEXT, *IN_HEADERS, *IN_HTML, "090-1234-5678", "LINE ", "１", "\u202e", "\u200b", "e\u0301")),
    st.integers(1, 400),
)
texts = st.lists(st.one_of(st.text(characters, max_size=200), _repeated), max_size=6).map("".join)
octets = st.one_of(st.binary(max_size=2_000), texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
#: Made by the same generator as those that the doors are tested with.
raw_mails = st.one_of(
    st.sampled_from([raw for raw in KNOWN.values() if len(raw) < 200_000]),
    st.integers(0, 10**6).map(lambda seed: list(mails(seed, len(KNOWN) + 1))[-1][:200_000]),
    octets,
)


@st.composite
def altered(draw: st.DrawFn, values: list[Any]) -> Any:
    """One of the JSON values with up to three places replaced, removed or repeated."""
    value = copy.deepcopy(draw(st.sampled_from(values)))
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(value))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        change = draw(st.sampled_from(("replace", "remove", "replace")))
        if change == "replace" or isinstance(holder, list):
            holder[key] = draw(json_values)
        else:
            del holder[key]
    return value


def payloads(carrier: str) -> list[Any]:
    """The carrier's genuine payloads."""
    return [json.loads(path.read_text()) for path in sorted((FIXTURES / carrier).glob("*.json"))]


def _places(value: Any) -> Any:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])
