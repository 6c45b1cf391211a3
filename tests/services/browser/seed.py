"""The people of the browser's site. Run as a module; prints the guests' keys as JSON."""

import json

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from crm_contact_guard.directory.mirror import employee_for, mirror_teams  # noqa: E402
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise  # noqa: E402
from tests import factories  # noqa: E402
from tests.host.models import Client  # noqa: E402

ALWAYS = {"mon-sun": "00:00-24:00"}
#: The site lives through a whole run, so tests that must find nobody talking yet have guests of their own.
LANGUAGES = {
    **dict.fromkeys(("Robert", "Maria", "Anna", "Jun", "Erika", "Olga", "Mika", "Lena", "Karl", "Paul", "Vera"), "en"),
    **dict.fromkeys(("Hanako", "Tomoko"), "ja"),
}
EMAILS = {"Erika": "erika@mail.example"}


#: Alerts of a team that no other test looks at: 200 to clear one by one, and 60 of another topic to close at once.
SPA = {"off_channel": 200, "sensitive_data": 60}


def busy_team() -> None:
    """A queue that has filled up overnight, of ``boss``, who supervises Ren."""
    ren = employee_for(factories.user("ren", branch=factories.team("Spa", head="boss"), hours=ALWAYS))
    mirror_teams()
    for topic, number in SPA.items():
        for index in range(number):
            talk = factories.conversation(ren, name=f"{topic} {index:03}")
            said = factories.recorded(talk, "Shall we talk on LINE? My ID is spa_guest")
            found = NewFinding(
                message=said, kind="contact_request", start=0, end=21, score=0.9, detector="test", version="1"
            )
            verdict = Verdict(topic=topic, by="customer", stance="ask", at=said, findings=[found])
            alert_raise(conversation=talk, verdict=verdict, notify=False)


def main() -> None:
    call_command("migrate", verbosity=0)
    desk = factories.team("Front desk", head="chief", deputy="vice")
    aoi = factories.user("aoi", branch=desk, hours=ALWAYS)
    mirror_teams()
    employee_for(aoi)
    busy_team()
    guests = {
        name: str(Client.objects.create(full_name=name, manager=aoi, language=language, emails=EMAILS.get(name, "")).pk)
        for name, language in LANGUAGES.items()
    }
    print(json.dumps(guests))


if __name__ == "__main__":
    main()
