"""Whom the association knows: who administers it, who leads, and a member. Run by the command ``shell``."""

from byro.common.models.configuration import Configuration
from byro.members.models import Member
from django.contrib.auth.models import User

config = Configuration.get_solo()
config.name, config.backoffice_mail, config.mail_from = "Kaede", "office@kaede.example", "crm@kaede.example"
config.save()
for name in ("aoi", "ken"):
    User.objects.create_user(name, f"{name}@kaede.example", "correct horse", is_staff=True, is_superuser=name == "ken")
Member.objects.create(number="1", name="Hanako Sato", email="hanako@mail.example")
