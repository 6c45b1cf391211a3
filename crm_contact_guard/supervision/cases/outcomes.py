"""The outcomes of cases: their order, what each requires, and the words for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import languages
from crm_contact_guard.policy import presets


class Outcome(models.TextChoices):
    """From the mildest to the severest. The last four are steps towards a customer who presses an employee."""

    NO_ACTION = "no_action", _("No action")
    COACHING = "coaching", _("Coaching")
    VERBAL_WARNING = "verbal_warning", _("Verbal warning")
    WRITTEN_APOLOGY = "written_apology", _("Written apology")
    PAY_CUT = "pay_cut", _("Pay cut")
    SUSPENSION = "suspension", _("Suspension")
    DEMOTION = "demotion", _("Demotion")
    ADVISED_RESIGNATION = "advised_resignation", _("Advised resignation")
    DISMISSAL = "dismissal", _("Dismissal")
    LEGAL_REFERRAL = "legal_referral", _("Referral to legal counsel")
    HANDOVER = "handover", _("Handed over to a colleague")
    CUSTOMER_WARNED = "customer_warned", _("Customer warned")
    CONTACT_RESTRICTED = "contact_restricted", _("Contact restricted")
    POLICE_REFERRAL = "police_referral", _("Referral to the police")


#: Outcomes of a protection case, which is never directed against the employee.
PROTECTION: Final = (
    Outcome.NO_ACTION,
    Outcome.HANDOVER,
    Outcome.CUSTOMER_WARNED,
    Outcome.CONTACT_RESTRICTED,
    Outcome.POLICE_REFERRAL,
)
#: Outcomes of a conduct case, from the mildest to the severest.
CONDUCT: Final = (Outcome.NO_ACTION, *(one for one in Outcome if one not in PROTECTION))
#: Discipline in the sense of labour law: only if published work rules provide for it, and after a hearing.
DISCIPLINE: Final = frozenset(
    {
        Outcome.WRITTEN_APOLOGY,
        Outcome.PAY_CUT,
        Outcome.SUSPENSION,
        Outcome.DEMOTION,
        Outcome.ADVISED_RESIGNATION,
        Outcome.DISMISSAL,
    }
)
#: Outcomes that a second person must approve: pay cut and everything severer.
APPROVED: Final = frozenset(CONDUCT[CONDUCT.index(Outcome.PAY_CUT) :])


def offered(sort: str) -> list[Outcome]:
    """Return the outcomes that the company uses in cases of this sort, from the mildest."""
    return [one for one in (PROTECTION if sort == "protection" else CONDUCT) if settings.OUTCOMES.get(one) is not False]


def words(outcome: str) -> str:
    """Return the words for an outcome in the active language; empty for no outcome.

    They are the company's (``OUTCOMES``), else those of the industry's preset.
    """
    if not outcome:
        return ""
    own, spoken = settings.OUTCOMES.get(outcome), languages.spoken().split("-", maxsplit=1)[0]
    if isinstance(own, dict) and own.get(spoken):
        return str(own[spoken])
    ladder = {step.kind: step.label for step in presets.chosen().outcomes}
    return ladder.get(outcome, {}).get(spoken) or str(Outcome(outcome).label)


def harsher(one: str, other: str) -> bool:
    """Whether ``one`` is severer than ``other``."""
    return CONDUCT.index(Outcome(one)) > CONDUCT.index(Outcome(other))


def check() -> None:
    """Raise ConfigurationError if the setting ``OUTCOMES`` is invalid."""
    for problem in _problems(settings.OUTCOMES):
        raise ConfigurationError(problem)


def _problems(given: Any) -> Iterator[str]:
    if not isinstance(given, dict):
        yield "OUTCOMES must be a dict"
        return
    for kind, own in given.items():
        if kind not in Outcome.values:
            yield f"OUTCOMES has an unknown outcome {kind!r} (known: {', '.join(Outcome.values)})"
        elif kind == Outcome.NO_ACTION and own is False:
            yield "OUTCOMES can't leave out no_action"
        elif own is not False and not (
            isinstance(own, dict) and all(isinstance(text, str) and 0 < len(text) <= 100 for text in own.values())
        ):
            yield f"OUTCOMES[{kind!r}] must be False or the company's words by language, such as {{'ja': '始末書'}}"
