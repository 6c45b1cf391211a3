"""Import every module of the installed package, and start each carrier whose extra is here, as a host does.

``python tools/import_all.py [EXTRA]`` runs where the built package and at most one extra are installed, and nothing of
the developers' tools. Exit code 1 when a library of an extra leaks: a module that needs one it should not, or a carrier
whose extra is missing and that does not say which one.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

PACKAGE = "crm_contact_guard"
#: Where libraries of extras may be imported at the top: module prefix → extras of which one brings them.
OF_EXTRAS = {
    "channels.email.esp": ("email-esp",),
    "channels.email.imap": ("imap",),
    "channels.line_works": ("line-works",),
    "channels.line": ("line",),
    "channels.http": ("line", "line-works"),
}
#: Backend → the extra without which the installation's checks must name it.
CARRIERS = {
    "webchat.WebChatChannel": "",
    "email.EmailChannel": "",
    "email.esp.EspChannel": "email-esp",
    "line.LineChannel": "line",
    "line_works.LineWorksChannel": "line-works",
    "twilio.SmsChannel": "twilio",
    "whatsapp.WhatsAppChannel": "whatsapp",
}
#: An extra whose libraries need all that another one brings.
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
    """Modules that can't be imported and should, or that can and should not need to."""
    found = []
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        short = module.name.removeprefix(f"{PACKAGE}.")
        if short.endswith("__main__"):
            continue  # runs when it is imported
        needs = next((extras for prefix, extras in OF_EXTRAS.items() if short.startswith(prefix)), ())
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            if not needs or extra in needs:
                found.append(f"{module.name}: {error}")
    return found


def unnamed(extra: str) -> list[str]:
    """Carriers whose missing extra no check names, and those that miss one which is here."""
    from django.core.checks import run_checks  # noqa: PLC0415 - after the settings

    found = []
    here = {extra, *BRINGS.get(extra, ())}
    said = [f"{message.msg} {message.hint}" for message in run_checks(tags=[PACKAGE])]
    for backend, needs in CARRIERS.items():
        told = any(backend in each and f"crm-contact-guard[{needs}]" in each for each in said)
        if needs and told == (needs in here):
            found.append(f"{backend}: the checks {'ask for' if told else 'do not name'} the extra {needs}")
    return found


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
    wrong = leaks(extra) + unnamed(extra)
    call_command("migrate", verbosity=0)
    for address, code in (("/chat/x/", 410), ("/api/v1/conversations/", 401)):
        answered = Client().get(address).status_code
        if answered != code:
            wrong.append(f"{address} answers {answered}, not {code}")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
