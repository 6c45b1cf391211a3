"""The people of the browser's site. Run as a module; prints the guests' keys as JSON."""

import json

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from crm_contact_guard.directory.mirror import employee_for, mirror_teams  # noqa: E402
from tests import factories  # noqa: E402
from tests.host.models import Client  # noqa: E402

ALWAYS = {"mon-sun": "00:00-24:00"}
#: The site lives through a whole run, so tests that must find nobody talking yet have guests of their own.
LANGUAGES = {
    **dict.fromkeys(("Robert", "Maria", "Anna", "Jun", "Erika", "Olga", "Mika", "Lena", "Karl", "Paul", "Vera"), "en"),
    **dict.fromkeys(("Hanako", "Tomoko"), "ja"),
}
EMAILS = {"Erika": "erika@mail.example"}


def main() -> None:
    call_command("migrate", verbosity=0)
    desk = factories.team("Front desk", head="chief", deputy="vice")
    aoi = factories.user("aoi", branch=desk, hours=ALWAYS)
    mirror_teams()
    employee_for(aoi)
    guests = {
        name: str(Client.objects.create(full_name=name, manager=aoi, language=language, emails=EMAILS.get(name, "")).pk)
        for name, language in LANGUAGES.items()
    }
    print(json.dumps(guests))


if __name__ == "__main__":
    main()
