"""Approved text blocks, written by the company (setting ``TEMPLATES``) and filled in by the employee.

``{name}`` in a block is a variable. ``customer``, ``employee`` and ``company`` are filled in automatically. The record
contains the completed text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.delivery.attempts import TEMPLATE
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.exceptions import InvalidMessage

#: A variable in a block; doubled braces are literal braces.
_VARIABLE = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]{0,39})\}")
#: Variables that are filled in automatically.
OWN = ("customer", "employee", "company")
MAX_VALUE = 500


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A block chosen by an employee, with the values of its variables."""

    name: str
    language: str = ""
    variables: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A completed block: the text to send, and the data that the record keeps with it."""

    name: str
    language: str
    text: str
    variables: Mapping[str, str]

    def details(self) -> dict[str, Any]:
        """Return the data about the block in the recorded message, which attempts at delivery read."""
        return {TEMPLATE: {"name": self.name, "language": self.language, "variables": dict(self.variables)}}


@dataclass(frozen=True, kw_only=True)
class Template:
    """An approved block. ``texts`` is by language; ``carriers`` maps channel alias → language → the carrier's ID."""

    name: str
    label: str
    texts: Mapping[str, str]
    carriers: Mapping[str, Mapping[str, str]]

    def language_for(self, wanted: str) -> str:
        """Return the block's best language for ``wanted``. Fall back to the active language, to English, or to any."""
        for language in (wanted, wanted.split("-", maxsplit=1)[0], get_language() or "", "en"):
            if language in self.texts:
                return language
        return next(iter(self.texts))

    def variables(self, language: str) -> tuple[str, ...]:
        """Return the variables that the employee has to fill in, in the order in which the text contains them."""
        names = dict.fromkeys(match[1] for match in _VARIABLE.finditer(self.texts[language]) if match[1])
        return tuple(name for name in names if name not in OWN)

    def carrier_id(self, channel: str, language: str) -> str:
        """Return the carrier's ID for the block in this language; empty if there is none."""
        return str(self.carriers.get(channel, {}).get(language, ""))


def all_templates() -> list[Template]:
    """Return all approved blocks, in the order of the setting."""
    return [_read(name, spec) for name, spec in settings.TEMPLATES.items()]


def find(name: str) -> Template | None:
    """Return the block with this name, or None."""
    spec = settings.TEMPLATES.get(name)
    return _read(name, spec) if spec is not None else None


def fill(chosen: Chosen, *, customer: Customer, signed: str) -> Filled:
    """Fill in a block. ``signed`` is the name under which the employee writes.

    Raise InvalidMessage (field ``template``) for an unknown block, language or value. The error
    names the variable that is missing, unknown or too long.
    """
    template = find(chosen.name)
    if template is None:
        raise _refused(_("There is no text block %(name)s.") % {"name": chosen.name})
    if chosen.language and chosen.language not in template.texts:
        raise _refused(
            _("%(name)s does not exist in the language %(language)s.")
            % {"name": template.label, "language": chosen.language}
        )
    language = chosen.language or template.language_for(customer.language)
    expected = template.variables(language)
    values_given = {name: " ".join(str(value).split()) for name, value in (chosen.variables or {}).items()}
    for name in expected:
        if not values_given.get(name):
            raise _refused(_("Fill in %(variable)s.") % {"variable": name})
        if len(values_given[name]) > MAX_VALUE:
            raise _refused(_("%(variable)s has more than %(most)d characters.") % {"variable": name, "most": MAX_VALUE})
    unknown = sorted(set(values_given) - set(expected))
    if unknown:
        raise _refused(_("%(name)s has no %(variable)s.") % {"name": template.label, "variable": unknown[0]})
    own = {"customer": customer.name, "employee": signed, "company": settings.company_name}
    values = {**own, **values_given}
    text = _VARIABLE.sub(lambda found: values[found[1]] if found[1] else found[0][0], template.texts[language])
    used = dict.fromkeys(match[1] for match in _VARIABLE.finditer(template.texts[language]) if match[1])
    return Filled(name=template.name, language=language, text=text, variables={name: values[name] for name in used})


def problems(templates: Mapping[str, Any]) -> list[str]:
    """Return problems with the setting, as text."""
    messages = []
    for name, spec in templates.items():
        texts = spec.get("TEXTS") if isinstance(spec, Mapping) else None
        if not isinstance(texts, Mapping) or not texts:
            messages.append(f'TEMPLATES["{name}"] has no TEXTS by language')
            continue
        for language, text in texts.items():
            if not isinstance(text, str) or not text.strip():
                messages.append(f'TEMPLATES["{name}"]["TEXTS"]["{language}"] is not a non-empty string')
            elif set(_VARIABLE.sub("", text)) & set("{}"):
                messages.append(
                    f'TEMPLATES["{name}"]["TEXTS"]["{language}"] has a brace that is not part of a variable'
                )
        for channel, ids in (spec.get("CARRIERS") or {}).items():
            messages += [
                f'TEMPLATES["{name}"]["CARRIERS"]["{channel}"] names {language!r}, which has no text'
                for language in sorted(set(ids) - set(texts))
            ]
    return messages


def _read(name: str, spec: Mapping[str, Any]) -> Template:
    return Template(
        name=name,
        label=str(spec.get("LABEL") or name),
        texts=spec["TEXTS"],
        carriers=spec.get("CARRIERS") or {},
    )


def _refused(words: str) -> InvalidMessage:
    return InvalidMessage(words, field="template")
