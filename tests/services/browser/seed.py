"""The people of the browser's site. Run as a module; prints the guests' keys as JSON."""

import json
import os
from datetime import timedelta

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from crm_contact_guard.conversations.lifecycle import conversation_open  # noqa: E402
from crm_contact_guard.directory.mirror import customer_for, employee_for  # noqa: E402
from crm_contact_guard.directory.mirror_people import mirror_teams  # noqa: E402
from crm_contact_guard.directory.models import Employee  # noqa: E402
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise  # noqa: E402
from crm_contact_guard.supervision.cases.models import Case  # noqa: E402
from crm_contact_guard.supervision.cases.working import case_tell, participant_add, task_add  # noqa: E402
from crm_contact_guard.supervision.review import alert_close  # noqa: E402
from tests import factories, rules_text  # noqa: E402
from tests.host.models import Client  # noqa: E402
from tests.supervision.cases.scene import alert  # noqa: E402

ALWAYS = {"mon-sun": "00:00-24:00"}
#: The site lives through a whole run, so tests that must find nobody talking yet have guests of their own.
LANGUAGES = {
    **dict.fromkeys(
        ("Robert", "Maria", "Anna", "Jun", "Erika", "Olga", "Mika", "Lena", "Karl", "Paul", "Vera", "Rosa"), "en"
    ),
    "Nora": "en",
    **dict.fromkeys(("Hanako", "Tomoko"), "ja"),
}
EMAILS = {"Erika": "erika@mail.example"}


#: Alerts of a team that no other test looks at: some to clear one by one, in the queue and on their pages, and 60 to
#: close at once. ``BROWSER_ALERTS=200`` makes it a full queue.
ONE_BY_ONE = int(os.environ.get("BROWSER_ALERTS", "30"))
SPA = {"off_channel": ONE_BY_ONE, "harassment": ONE_BY_ONE, "sensitive_data": 60}


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
    rules_text.publish(factories.employee("officer", job="compliance"), quiz="Private number?\n- Yes\n* No")
    guests = {
        name: str(Client.objects.create(full_name=name, manager=aoi, language=language, emails=EMAILS.get(name, "")).pk)
        for name, language in LANGUAGES.items()
    }
    _case()
    print(json.dumps(guests))


def _case() -> None:
    """A case about Aoi that chief leads, after she was told."""
    people = {person.name: person for person in Employee.objects.all()}
    talk = conversation_open(customer=customer_for(Client.objects.get(full_name="Nora")), channel="chat")
    raised = alert(talk, text="Your room is ready.")
    alert_close(alert_id=raised.pk, reviewer=people["Chief"], resolution="case_opened")
    case = Case.objects.get()
    participant_add(case_id=case.pk, actor=people["Chief"], person=people["Vice"], part="approver")
    due = timezone.now() - timedelta(hours=2)
    task_add(case_id=case.pk, actor=people["Chief"], title="Ask the desk", assignee=people["Chief"], due_at=due)
    case_tell(case_id=case.pk, actor=people["Chief"], allegation="You asked a guest to go on privately.")


if __name__ == "__main__":
    main()
