"""Finds candidates for contact identifiers by running only the families of expressions whose gate opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crm_contact_guard.detection import gates as gate_of
from crm_contact_guard.detection.identifiers import families as ids
from crm_contact_guard.detection.identifiers.families import Candidate
from crm_contact_guard.detection.types import Company

_EMAILS = (
    (gate_of.EMAIL, ids.EMAIL, "plain"),
    (gate_of.EMAIL_HINT, ids.EMAIL_PROVIDER, "provider"),
    (gate_of.EMAIL_SPACED, ids.EMAIL_SPACED, "spaced"),
    (gate_of.EMAIL_SLASH, ids.EMAIL_SLASH, "slash"),
    (gate_of.EMAIL, ids.EMAIL_ANY, "plain"),
)
_EMAIL_GATES = frozenset({gate_of.EMAIL, gate_of.EMAIL_HINT, gate_of.EMAIL_SPACED, gate_of.EMAIL_SLASH})
_PHONE_GATES = frozenset({gate_of.PHONE, gate_of.SPELLED, gate_of.NOISE, gate_of.LEET})
#: Shapes that need a lookup in the numbering plans, because their length proves little.
_ASK_PLANS = frozenset({"international", "landline", "nanp", "cn_or_nanp", "asia_mobile"})
#: Maximum number of lookups in the numbering plans for one message (about 15 µs each). Any more numbers are accepted by
#: their shape.
MAX_PLANS = 40
#: Endings of file names.
_FILES = (
    ".pdf", ".xls", ".xlsx", ".xlsm", ".doc", ".docx", ".ppt", ".pptx", ".csv", ".txt", ".md", ".rtf", ".odt",
    ".jpg", ".jpeg", ".png", ".gif", ".heic", ".svg", ".mp3", ".mp4", ".mov", ".zip", ".ics", ".eml",
    ".html", ".htm", ".xml", ".json", ".yaml", ".yml", ".toml", ".js", ".py", ".php", ".exe", ".apk",
    ".css", ".webp", ".ts", ".rb", ".bak", ".log",
)  # fmt: skip
#: Endings of files and sites; a token with one of them is not a handle.
_NOT_HANDLES = (".com", ".net", ".org", ".jp", ".example", ".uk", ".kr", ".cn", ".vn", ".io", *_FILES)


@dataclass(slots=True)
class Budget:
    """The remaining budget of a message: candidates, and lookups in the numbering plans."""

    candidates: int = ids.MAX_CANDIDATES
    plans: int = MAX_PLANS
    flooded: bool = False


def find(text: str, gates: set[int], company: Company, budget: Budget, *, reverse: bool) -> list[Candidate]:
    """Return the candidates in the folded text, sorted by start. ``gates`` holds the gates that opened for it.

    Once the budget is exhausted, the next call returns a ``flood`` candidate, and later calls return nothing.
    """
    if budget.candidates <= 0:
        if budget.flooded:
            return []
        budget.flooded = True
        return [Candidate("phone", "flood", 0, len(text), "", "flood")]
    candidates = _find(text, gates, company, budget, reverse=reverse)
    budget.candidates -= len(candidates)
    if len(candidates) > 1:
        candidates.sort(key=lambda candidate: candidate.start)
    return candidates


def _find(text: str, gates: set[int], company: Company, budget: Budget, *, reverse: bool) -> list[Candidate]:
    candidates: list[Candidate] = []
    if gate_of.LINK in gates:
        candidates.extend(_links(text))
    if not gates.isdisjoint(_EMAIL_GATES):
        candidates.extend(_emails(text, candidates, gates))
    if not gates.isdisjoint(_PHONE_GATES):
        candidates.extend(_phones(text, candidates, company.regions, gates, budget, reverse=reverse))
    if not gates.isdisjoint(_RARE_GATES):
        for gate, pattern, sort, shape, technique in _RARE:
            if gate in gates:
                fresh = [
                    Candidate(sort, shape, match.start(), match.end(), match.group(), technique)
                    for match in pattern.finditer(text)
                ]
                candidates.extend(fresh if gate == gate_of.GORO else _free(candidates, fresh))
    if gate_of.TOKENS in gates or gate_of.AT in gates:
        candidates.extend(_handles(text, candidates, gates))
    return candidates


#: Families with a single expression each, by priority.
_RARE: tuple[tuple[int, Any, str, str, str], ...] = (
    (gate_of.GORO, ids.GOROAWASE, "phone", "goroawase", "goroawase"),
    (gate_of.ADDRESS_JA, ids.ADDRESS_JA, "address", "ja", "plain"),
    (gate_of.ADDRESS_EN, ids.ADDRESS_EN, "address", "en", "plain"),
    (gate_of.PAYMENT, ids.PAYMENT, "payment", "handle", "plain"),
    (gate_of.PAYMENT, ids.WALLET, "payment", "handle", "plain"),
    (gate_of.HINT, ids.HINT, "hint", "computed", "hint"),
)
_RARE_GATES = frozenset(gate for gate, *_ in _RARE)


def _overlaps(candidates: Sequence[Candidate], start: int, end: int) -> bool:
    for other in candidates:  # noqa: SIM110 - usually there are none, and a generator costs more than the loop
        if start < other.end and other.start < end:
            return True
    return False


def _free(earlier: Sequence[Candidate], candidates: Sequence[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if not _overlaps(earlier, candidate.start, candidate.end)]


def _links(text: str) -> Iterator[Candidate]:
    for start, end, family, link in ids.links(text):
        technique = (
            "plain" if "[" not in link and "(" not in link and "xx" not in link[:5] and " " not in link else "defanged"
        )
        if family == "line" and ("/@" in link or "%40" in link or "lin.ee" in link):
            family = "line_official"
        yield Candidate("payment" if family == "payment" else "link", family, start, end, link, technique)


def _emails(text: str, earlier: list[Candidate], gates: set[int]) -> list[Candidate]:
    emails: list[Candidate] = []
    matching = ids.MAILS.Match(text)
    if not matching:
        return emails
    for number, (gate, pattern, technique) in enumerate(_EMAILS):
        if gate not in gates or number not in matching:
            continue
        for match in pattern.finditer(text):
            start, end = match.span()
            if _overlaps(emails, start, end) or _overlaps(earlier, start, end):
                continue
            value = match.group()
            if pattern is ids.EMAIL_ANY and value.endswith(_FILES):
                continue  # logo@2x.png
            squeezed = value.replace(" ", "")
            domain = squeezed.rpartition("@")[2] if "@" in squeezed else squeezed
            if (
                ids.FREE.search(domain)
                or ids.FREE.search(value.replace(" dot ", "."))
                or technique in ("provider", "slash")
            ):
                shape = "free"
            elif domain.endswith(".example"):
                shape = "company"
            elif "@" not in squeezed and technique == "plain":
                shape = "spelled"
            else:
                shape = "other"
            emails.append(
                Candidate(
                    "email",
                    shape,
                    start,
                    end,
                    squeezed,
                    technique if "@" in squeezed and " " not in value else "disguised",
                )
            )
    for match in ids.EMAIL_HINT.finditer(text) if gate_of.EMAIL_HINT in gates and len(_EMAILS) in matching else ():
        if not _overlaps(emails, *match.span()):
            emails.append(Candidate("email", "hint", match.start(), match.end(), match.group(), "hint"))
    return emails


def _phones(
    text: str, earlier: list[Candidate], regions: tuple[str, ...], gates: set[int], budget: Budget, *, reverse: bool
) -> list[Candidate]:
    phones: list[Candidate] = []
    for start, end, digits, technique in ids.phones(
        text, spelled=gate_of.SPELLED in gates, noise=gate_of.NOISE in gates, leet=gate_of.LEET in gates
    ):
        if _overlaps(earlier, start, end):
            continue
        written = text[start:end]
        while end > start and not (written[-1].isalnum()):
            end -= 1
            written = text[start:end]
        shape = ids.phone_shape(digits, written)
        if reverse and shape in ("other", "local", "landline", "nanp", "cn_or_nanp", "asia_mobile"):
            reversed_shape = ids.phone_shape(digits[::-1], digits[::-1])
            if reversed_shape not in ("other", "local"):
                phones.append(Candidate("phone", reversed_shape, start, end, digits[::-1], "reversed"))
                continue
        if technique == "plain" and end - start >= 2 * len(digits) - 1:
            technique = "spaced"
        if glued(text, start, end) or ids.NETWORK.search(text[max(0, start - ids.BEFORE) : start]):
            shape = "code"
        elif shape in _ASK_PLANS and budget.plans > 0:
            budget.plans -= 1
            if not plausible(digits, shape == "international", regions):
                shape = "other"
        phones.append(Candidate("phone", shape, start, end, digits, technique))
    return phones


def glued(text: str, start: int, end: int) -> bool:
    """Whether Latin letters or more digits adjoin the run, as in part numbers (``080-2214-ax``)."""
    before, after = text[max(0, start - 2) : start], text[end : end + 3]
    if (
        before
        and before[-1].isascii()
        and (
            before[-1].isalnum()
            or (before[-1] in "-_/#" and len(before) > 1 and before[0].isalnum() and before[0].isascii())
        )
    ):
        return True
    if before and before[-1] in "¥$€£":
        return True
    return (
        bool(after)
        and after[0].isascii()
        and (after[0].isalnum() or (after[0] in "-_/" and len(after) > 1 and after[1].isascii() and after[1].isalnum()))
    )


@lru_cache(maxsize=4096)
def plausible(digits: str, international: bool, regions: tuple[str, ...]) -> bool:
    """Whether the digits are a possible number in any of the regions (``phonenumbers``)."""
    import phonenumbers

    for region in (None,) if international else regions:
        try:
            number = phonenumbers.parse("+" + digits.lstrip("0") if international else digits, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            return True
    return False


def _handles(text: str, earlier: list[Candidate], gates: set[int]) -> list[Candidate]:
    handles: list[Candidate] = []
    official: list[Candidate] = []
    for match in ids.AT_HANDLE.finditer(text) if gate_of.AT in gates else ():
        start, end = match.span(1)
        end -= len(match.group(1)) - len(match.group(1).rstrip("."))
        if text[start + 1 : end].replace(".", "").strip().isdigit() and text[start + 1].isspace():
            continue  # "2 @ 300 yen" is a price
        if text[end : end + 1] == "(" or ids.OFFICIAL.search(text[max(0, start - ids.BEFORE) : start]):
            official.append(Candidate("handle", "official", start, end, match.group(1)))
            continue  # "@app.route(…)", "公式LINE @kaede"
        if not _overlaps(earlier, start, end):
            handles.append(Candidate("handle", "at", start, end, match.group(1)))
    # Nearly all tokens are plain words; their spans are needed only if one is not.
    likely = {value for value in filter(None, ids.TOKEN.findall(text)) if len(value) > 3 and _handle_like(value)}
    for match in ids.TOKEN.finditer(text) if likely else ():
        value = match.group(1)
        if value not in likely:
            continue
        start, end = match.span()
        if ids.NETWORK.search(text[max(0, start - ids.BEFORE) : start]):
            continue
        if not any(_overlaps(others, start, end) for others in (earlier, handles, official)):
            handles.append(Candidate("handle", "token", start, end, value))
    return handles


def _handle_like(value: str) -> bool:
    if value.isalpha() or value.endswith(_NOT_HANDLES) or value.startswith("www."):
        return False
    letters = sum(map(str.isalpha, value))
    if letters < 3:
        return False
    if "_" in value or "#" in value:
        return True
    head, dot, tail = value.partition(".")
    if dot and len(head) >= 2 and len(tail) >= 2 and (len(head) > 3 or len(tail) > 3):
        return True
    digits = sum(map(str.isdigit, value))
    return (letters >= 4 and digits >= 2 and value[0].isalpha() and "-" not in value) or (
        value.count("-") == 1 and letters >= 8 and digits == 0 and "." in value
    )
