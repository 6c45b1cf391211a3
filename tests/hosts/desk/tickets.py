"""The helpdesk that a company has: a queue, who works in it, what customers wrote. Run by the command ``shell``."""

from django.contrib.auth import get_user_model
from helpdesk.models import Queue, Ticket

people = {}
for name, duty in (("aoi", "agent"), ("ken", "lead")):
    people[name] = get_user_model()(email=f"{name}@kaede.example", duty=duty)
    people[name].set_password("correct horse")
    people[name].save()
queue = Queue.objects.create(title="Repairs", slug="rep", default_owner=people["ken"])
for title, email in (("Broken lamp", "Hanako@mail.example"), ("Lamp again", "hanako@mail.example"), ("Door", "")):
    Ticket.objects.create(title=title, queue=queue, submitter_email=email, assigned_to=people["aoi"])
