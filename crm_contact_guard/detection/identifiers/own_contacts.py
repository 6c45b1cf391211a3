"""The company's own contacts, which are never private contacts."""

from __future__ import annotations

from dataclasses import dataclass

from crm_contact_guard.detection.identifiers.families import Candidate
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company

#: Minimum digits of a number that is compared, counting its leading zero. Two numbers are equal if one ends with the
#: other, since the country code, trunk zero and extension prefix depend on the notation.
_SIGNIFICANT = 8


@dataclass(frozen=True, slots=True)
class OwnContacts:
    """The company's contacts in folded form."""

    phones: frozenset[str]
    emails: frozenset[str]
    domains: frozenset[str]
    handles: frozenset[str]
    urls: frozenset[str]

    def holds(self, candidate: Candidate) -> bool:
        """Whether the candidate is one of the company's own contacts."""
        value = candidate.value
        if candidate.sort == "phone":
            digits = value.lstrip("+0")
            return len(digits) >= _SIGNIFICANT - 1 and any(
                digits.endswith(own) or own.endswith(digits) for own in self.phones
            )
        if candidate.sort == "email":
            return value in self.emails or any(value.endswith(("@" + domain, "." + domain)) for domain in self.domains)
        if candidate.sort == "handle":
            return value.lstrip("@ ") in self.handles
        if candidate.sort in ("link", "payment"):
            bare = _bare(value)
            return any(
                bare == url or bare.startswith(url + "/") or bare.startswith(url + "?") for url in self.urls
            ) or any(part in self.handles for part in bare.replace("@", "").replace("~", "").split("/")[1:])
        return False

    def mark(self, candidates: list[Candidate]) -> list[Candidate]:
        """Return the candidates, with the shape ``own`` for the company's own contacts."""
        return [candidate._replace(shape="own") if self.holds(candidate) else candidate for candidate in candidates]


def _bare(link: str) -> str:
    return link.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")


def _fold(values: frozenset[str]) -> list[str]:
    return [normalise(value).text.strip() for value in values]


_last: list[tuple[Company, OwnContacts | None]] = []


def own_contacts(company: Company) -> OwnContacts | None:
    """Return a company's contacts in folded form, or ``None`` if it has none. The last company's result is cached."""
    if _last and _last[0][0] is company:
        return _last[0][1]
    own: OwnContacts | None = None
    if company.phones or company.emails or company.domains or company.handles or company.urls:
        digits = ("".join(c for c in phone if c.isdigit()).lstrip("0") for phone in _fold(company.phones))
        own = OwnContacts(
            frozenset(number for number in digits if number),
            frozenset(_fold(company.emails)),
            frozenset(domain.lstrip("@") for domain in _fold(company.domains)),
            frozenset(handle.lstrip("@") for handle in _fold(company.handles)),
            frozenset(_bare(url) for url in _fold(company.urls)),
        )
    _last[:] = [(company, own)]
    return own
