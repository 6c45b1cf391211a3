"""The ``CONTACT_GUARD`` settings.

They are a dict, which is read on each access so that ``override_settings`` works in a host's tests. ``DEFAULTS`` lists
the known names. ``checks.options`` reports unknown names and suggests the closest known one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings as django_settings

from crm_contact_guard.exceptions import ConfigurationError

#: Known settings with their defaults. Documented in docs/settings.md.
DEFAULTS: dict[str, Any] = {
    # The host CRM
    "CRM_ADAPTER": "crm_contact_guard.crm.DeclarativeAdapter",
    "CUSTOMER": {},
    "EMPLOYEE": {},
    "TEAM": {},
    # Company
    "COMPANY_NAME": "",
    "COMPANY_CONTACTS": {},
    "COMPANY_RULES": "",
    "INDUSTRY": "general",
    "SENSITIVITY": "",
    "THRESHOLDS": {},
    "SEMANTIC": None,
    "REGIONS": ["JP", "US", "GB", "TH", "VN", "PH", "KR", "CN", "TW", "SG"],
    # Channels
    "CHANNELS": {},
    "MAX_TEXT_LENGTH": 20_000,
    "MAX_INBOUND_BYTES": 25 * 1024 * 1024,
    "MAX_FILE_BYTES": 10 * 1024 * 1024,
    "FILE_TYPES": [
        "image/*",
        "audio/*",
        "video/*",
        "application/pdf",
        "text/plain",
        "application/vnd.openxmlformats-officedocument.*",
    ],
    "REENCODE_IMAGES": False,
    "TEMPLATES": {},
    "CHAT_LINK_DAYS": 14,
    "PUBLIC_URL": "",
    # Policy
    "WORKING_HOURS": {"mon-fri": "09:00-18:00"},
    "HOLIDAYS": [],
    "QUIET_HOURS": {},
    "ICALENDAR": {},
    "RULES": {},
    "AUTO_ANSWER": False,
    "URGENT": {},
    "UNDO_SECONDS": 0,
    "PROTECTION": {},
    "OWN_FLAGS": "reviewed",
    "POLICY_APPROVAL": False,
    "HOLD_HOURS": 8,
    "HOLD_ENDS": "return",
    "UNSIGNED_MAY_WRITE": True,
    # Supervision
    "ALERT_WINDOW_HOURS": 24,
    "ALERT_REOPEN_DAYS": 7,
    "ALERT_DEADLINES": {},
    "REVIEW_SHARE": None,
    "REVIEW_LEAST": 5,
    "SECOND_REVIEW_SHARE": 0.05,
    "SAMPLE_KEY": "",
    "PRECISION_FLOOR": 0.2,
    "NOTIFY": {"email": True},
    "READER": {},
    "OUTCOMES": {},
    "WORK_RULES": [],
    "APPEAL_DAYS": 14,
    "PSEUDONYMS": None,
    "UNMASK_APPROVAL": False,
    "READ_PER_HOUR": 40,
    "READ_WITHOUT_TASK": 5,
    "READ_OWN_NAME": True,
    # Record
    "RETENTION": {},
    "SEARCH_ENGINE": "",
    "SIGNING_KEY": "",
    "VERIFICATION_KEYS": [],
    "WITNESSES": [],
    "FILE_STORAGE": "default",
    # Exports
    "EXPORT_ROLES": ["compliance", "auditor"],
    "EXPORT_APPROVAL": None,
    "EXPORT_DAYS": 7,
    "EXPORT_STORAGE": "",
    "PDF_FONTS": [],
    # Pages
    "BASE_TEMPLATE": "crm_contact_guard/base.html",
    "LOGIN_URL": "",
    "LOGOUT_URL": "",
    "CONTENT_SECURITY_POLICY": {},
    # API
    "API_AUTHENTICATION_CLASSES": [],
    "API_REQUESTS_PER_MINUTE": 1200,
    # Work after commit
    "TASKS": "celery",
    "DELIVERY_LEASE_SECONDS": 60,
    # Watching
    "MONITORING_TOKEN": "",
}


class Settings:
    """Attribute access to ``CONTACT_GUARD``, with ``DEFAULTS`` for missing names.

    Raise AttributeError for a name that is not in ``DEFAULTS``, which means that our own code has a typo.
    """

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(f"crm_contact_guard has no setting {name!r}")
        values = getattr(django_settings, "CONTACT_GUARD", {}) or {}
        return values.get(name, DEFAULTS[name])

    @property
    def company_name(self) -> str:
        """The company's name as shown to customers."""
        return str(self.COMPANY_NAME) or "the company"

    @property
    def semantic(self) -> bool:
        """Whether tasks use the encoder: ``SEMANTIC`` if set, otherwise whether its extra is installed."""
        from crm_contact_guard.detection import semantic_available  # noqa: PLC0415 - settings are read before anything

        return semantic_available() if self.SEMANTIC is None else bool(self.SEMANTIC)

    @property
    def alert_window(self) -> timedelta:
        return timedelta(hours=float(self.ALERT_WINDOW_HOURS))

    @property
    def delivery_lease(self) -> timedelta:
        """Maximum duration of a delivery attempt, after which its worker is considered dead."""
        return timedelta(seconds=float(self.DELIVERY_LEASE_SECONDS))

    def channel(self, alias: str) -> dict[str, Any]:
        """Return ``{"BACKEND", "OPTIONS"}`` of one channel. Raise ConfigurationError for an unknown alias."""
        channels: dict[str, dict[str, Any]] = self.CHANNELS
        if alias not in channels:
            known = ", ".join(sorted(channels)) or "none"
            raise ConfigurationError(f'CONTACT_GUARD["CHANNELS"] has no channel {alias!r} (configured: {known})')
        return channels[alias]


settings = Settings()


def _entry(task: str, every: float, expires: float | None = None, args: tuple[object, ...] = ()) -> dict[str, Any]:
    """Return an entry of a beat schedule. A run that waits in the queue for longer than ``expires`` is dropped."""
    entry: dict[str, Any] = {"task": f"crm_contact_guard.tasks.{task}", "schedule": every}
    return entry | ({"options": {"expires": expires}} if expires else {}) | ({"args": args} if args else {})


#: Schedule to merge into the host's Celery beat schedule:
#: ``app.conf.beat_schedule |= CONTACT_GUARD_SCHEDULE``. Intervals are in seconds.
CONTACT_GUARD_SCHEDULE: dict[str, dict[str, Any]] = {
    "contact-guard-sweep": _entry("sweep", 10.0, expires=10.0),
    # Sweeps the whole record, in case there was an outage of several days.
    "contact-guard-sweep-all": _entry("sweep", 86400.0, args=(36_500,)),
    # A run that is dropped is no loss, since the next run seals the same rows.
    "contact-guard-seal": _entry("seal", 1.0, expires=2.0),
    "contact-guard-witness": _entry("witness", 60.0, expires=60.0),
    # Does nothing if no channel has a mailbox.
    "contact-guard-poll-mail": _entry("poll_mail", 30.0, expires=30.0),
    # Does nothing unless rules are published.
    "contact-guard-remind-of-rules": _entry("remind_of_rules", 600.0, expires=600.0),
    # Draws the past week's sample once, and does nothing without a key.
    "contact-guard-sample": _entry("draw_sample", 3600.0, expires=3600.0),
    "contact-guard-figures": _entry("count_figures", 300.0, expires=300.0),
    "contact-guard-fill-search": _entry("fill_search", 30.0, expires=30.0),
    "contact-guard-watch-readings": _entry("watch_readings", 600.0, expires=600.0),
    "contact-guard-exports": _entry("sweep_exports", 60.0, expires=60.0),
    "contact-guard-reconcile": _entry("reconcile", 86400.0),
    "contact-guard-sync": _entry("sync_directory", 600.0),
}

#: Routes for the host's Celery app: ``app.conf.task_routes = CONTACT_GUARD_ROUTES``. Each queue needs a worker of its
#: own. Sealing then doesn't wait behind a backlog of messages, and messages don't wait behind a sync.
CONTACT_GUARD_ROUTES: dict[str, dict[str, str]] = {
    **{f"crm_contact_guard.tasks.{name}": {"queue": "guard-seal"} for name in ("seal", "witness")},
    **{
        f"crm_contact_guard.tasks.{name}": {"queue": "guard-slow"}
        for name in (
            "count_figures",
            "draw_sample",
            "export",
            "fill_search",
            "poll_mail",
            "read_roster",
            "reconcile",
            "rehearse",
            "remind_of_rules",
            "sweep_exports",
            "sync_directory",
            "verify_record",
            "watch_readings",
        )
    },
    "crm_contact_guard.tasks.*": {"queue": "guard"},
}
