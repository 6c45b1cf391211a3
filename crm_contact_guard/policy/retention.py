"""How long content is kept. Nothing is erased until the company has chosen a preset or rules and confirmed them.

For example: ``RETENTION = {"PRESET": "fca_sysc_10a", "RULES": [{"channel": "chat", "years": 3}], "CONFIRMED": True}``.
The first matching rule applies, or the preset if no rule matches. Without either, the message is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.privacy.holds import not_held
from crm_contact_guard.record.models import Message


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A retention period in years, and its legal source. The company must confirm that the source applies."""

    years: int
    source: str


#: Minimum periods as stated in their sources. A company needs legal advice on which one applies.
PRESETS: Final[dict[str, Preset]] = {
    "sec_17a_4": Preset(
        years=3, source="17 CFR 240.17a-4(b)(4): communications, 3 years, the first 2 easily accessible"
    ),
    "finra_4511": Preset(years=6, source="FINRA Rule 4511(b): 6 years where no other period is given"),
    "fca_sysc_10a": Preset(years=5, source="FCA SYSC 10A.1: 5 years, up to 7 where the FCA asks"),
    "mifid_ii": Preset(years=5, source="Directive 2014/65/EU art. 16(7): 5 years, up to 7 where the authority asks"),
    "jp_fiea": Preset(years=10, source="金融商品取引法 第47条、同業等府令 第157条: 帳簿書類の最長の保存期間である10年"),
    "jp_medical": Preset(years=5, source="医師法 第24条、療養担当規則 第9条: 診療録に準じて5年"),
    "jp_care": Preset(years=5, source="介護保険法に基づく指定基準(2年)と自治体条例の5年のうち長いもの"),
    "jp_labour": Preset(years=5, source="労働基準法 第109条: 労働関係の重要な書類、5年(経過措置3年)"),
    "jp_general": Preset(years=10, source="会社法 第432条: 事業に関する重要な資料、10年"),
}
_RULE_KEYS: Final = {"channel", "kind", "direction", "years"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule that keeps messages matching ``where`` for ``years``. ``name`` is for display."""

    name: str
    where: Q
    years: int


def rules() -> list[Rule]:
    """Return the confirmed rules, in order. If there are none, nothing may be erased.

    Raise ConfigurationError, which names the invalid entry.
    """
    configured: Mapping[str, Any] = settings.RETENTION
    if not configured:
        return []
    result = [_rule(number, rule) for number, rule in enumerate(configured.get("RULES", ()), 1)]
    name = configured.get("PRESET")
    if name is not None:
        if name not in PRESETS:
            raise ConfigurationError(
                f'CONTACT_GUARD["RETENTION"]["PRESET"] = {name!r}; known: {", ".join(sorted(PRESETS))}'
            )
        result.append(Rule(name=name, where=Q(), years=PRESETS[name].years))
    return result if configured.get("CONFIRMED") is True else []


def _rule(number: int, entry: Mapping[str, Any]) -> Rule:
    where = f'CONTACT_GUARD["RETENTION"]["RULES"] entry {number}'
    unknown = set(entry) - _RULE_KEYS
    if unknown:
        raise ConfigurationError(
            f"{where}: unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(_RULE_KEYS))}"
        )
    years = entry.get("years")
    if not isinstance(years, int) or years < 1:
        raise ConfigurationError(f"{where}: years must be a whole number from 1")
    fields = {name: entry[name] for name in ("channel", "kind", "direction") if name in entry}
    name = ", ".join(f"{key} {value}" for key, value in fields.items()) or "all"
    return Rule(name=f"{name}: {years} years", where=Q(**fields), years=years)


def expired(now: datetime | None = None) -> Iterator[tuple[Rule, QuerySet[Message]]]:
    """Yield each rule with its expired messages, except those matched by an earlier rule or covered by a legal hold."""
    moment = now or timezone.now()
    matched = Q(pk__in=[])
    for rule in rules():
        limit = _years_before(moment, rule.years)
        messages = Message.objects.filter(rule.where, occurred_at__lt=limit, salt__isnull=False).exclude(matched)
        yield rule, not_held(messages)
        if not rule.where:
            # This rule matches every message, including those it still keeps. An empty Q() would have no effect below.
            return
        matched |= rule.where


def _years_before(moment: datetime, years: int) -> datetime:
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year - years, day=28)
