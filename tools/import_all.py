"""Import every module of the installed package, and start each carrier whose extra is installed, as a host does.

Run ``python tools/import_all.py [EXTRA]`` in an environment with the built package and at most one extra, without
development tools. The exit code is 1 if a module requires an extra's library that it shouldn't require, or if no check
reports a carrier's missing extra.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

PACKAGE = "crm_contact_guard"
#: Modules that may import an extra's libraries at the top level: module prefix → the extras that provide them.
OF_EXTRAS = {
    "channels.email.esp": ("email-esp",),
    "channels.email.imap": ("imap",),
    "channels.line_works": ("line-works",),
    "channels.line": ("line",),
    "channels.http": ("line", "line-works"),
    "exports.formats.children.write_parquet": ("parquet",),
    "exports.formats.children.write_pdf": ("pdf",),
}
#: Backend → the extra whose absence the system checks must report.
CARRIERS = {
    "webchat.WebChatChannel": "",
    "email.EmailChannel": "",
    "email.esp.EspChannel": "email-esp",
    "line.LineChannel": "line",
    "line_works.LineWorksChannel": "line-works",
    "twilio.SmsChannel": "twilio",
    "whatsapp.WhatsAppChannel": "whatsapp",
}
#: Extras that also install the libraries of other extras.
BRINGS = {"twilio": ("line-works",)}
SETTINGS: dict[str, object] = {
    "SECRET_KEY": "of the host",
    "USE_TZ": True,
    "DEBUG": True,
    "ALLOWED_HOSTS": ["testserver"],
    "INSTALLED_APPS": ["django.contrib.auth", "django.contrib.contenttypes", PACKAGE],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    "ROOT_URLCONF": f"{PACKAGE}.urls",
    "LOGGING_CONFIG": None,
    "CONTACT_GUARD": {
        "TASKS": "inline",
        "CUSTOMER": {"MODEL": "auth.User"},
        "CHANNELS": {name: {"BACKEND": f"{PACKAGE}.channels.{name}"} for name in CARRIERS},
    },
}


def leaks(extra: str) -> list[str]:
    """Return errors for modules that can't be imported although their extra is installed or they don't need one."""
    errors = []
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        short = module.name.removeprefix(f"{PACKAGE}.")
        if short.endswith("__main__"):
            continue  # runs on import
        needs = next((extras for prefix, extras in OF_EXTRAS.items() if short.startswith(prefix)), ())
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            if not needs or extra in needs:
                errors.append(f"{module.name}: {error}")
    return errors


def unnamed(extra: str) -> list[str]:
    """Return carriers whose missing extra no check reports, and carriers reported although their extra is installed."""
    from django.core.checks import run_checks  # noqa: PLC0415 - after the settings

    errors = []
    installed = {extra, *BRINGS.get(extra, ())}
    reports = [f"{message.msg} {message.hint}" for message in run_checks(tags=[PACKAGE])]
    for backend, needs in CARRIERS.items():
        reported = any(backend in each and f"crm-contact-guard[{needs}]" in each for each in reports)
        if needs and reported == (needs in installed):
            errors.append(f"{backend}: the checks {'ask for' if reported else 'do not name'} the extra {needs}")
    return errors


def main() -> None:
    extra = sys.argv[1] if len(sys.argv) > 1 else ""
    if Path(__file__).parents[1] / PACKAGE in map(Path, importlib.import_module(PACKAGE).__path__):
        sys.exit("This is the working tree, not the built package")
    import django  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    settings.configure(**SETTINGS)
    django.setup()
    errors = leaks(extra) + unnamed(extra)
    call_command("migrate", verbosity=0)
    for address, code in (("/chat/x/", 410), ("/api/v1/conversations/", 401)):
        status = Client().get(address).status_code
        if status != code:
            errors.append(f"{address} answers {status}, not {code}")
    if errors:
        sys.exit("\n".join(errors))


if __name__ == "__main__":
    main()
