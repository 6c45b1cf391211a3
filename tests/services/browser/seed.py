"""The people of the browser's site. Run as a module; prints the guests' keys as JSON."""

import json

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from crm_contact_guard.directory.mirror import employee_for, mirror_teams  # noqa: E402
from tests import factories  # noqa: E402
from tests.host.models import Client  # noqa: E402

ALWAYS = {"mon-sun": "00:00-24:00"}


def main() -> None:
    call_command("migrate", verbosity=0)
    desk = factories.team("Front desk", head="chief", deputy="vice")
    aoi = factories.user("aoi", branch=desk, hours=ALWAYS)
    mirror_teams()
    employee_for(aoi)
    guests = {
        name: str(Client.objects.create(full_name=name, manager=aoi, language=language).pk)
        for name, language in {"Hanako": "ja", "Robert": "en", "Maria": "en", "Anna": "en", "Jun": "en"}.items()
    }
    erika = Client.objects.create(full_name="Erika", manager=aoi, language="en", emails="erika@mail.example")
    print(json.dumps({**guests, "Erika": str(erika.pk)}))


if __name__ == "__main__":
    main()
