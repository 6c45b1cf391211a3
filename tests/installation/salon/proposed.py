"""Uses the settings that ``contact_guard_init`` proposes for the salon, and prints customers and employees."""

from __future__ import annotations

import io
from typing import Any

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import override_settings  # noqa: E402

from crm_contact_guard import crm  # noqa: E402
from tests.installation.salon.models import StaffMember  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
for name in ("aoi", "ken"):
    user = User.objects.create_user(name, is_staff=True, is_superuser=name == "ken")
    StaffMember.objects.create(user=user)
# The freelancer has no access to the admin, and the server's administrator is not a hairdresser.
StaffMember.objects.create(user=User.objects.create_user("mio"))
User.objects.create_superuser("root")
User.objects.create_user("hanako")

out = io.StringIO()
call_command("contact_guard_init", stdout=out)
read: dict[str, Any] = {}
exec(out.getvalue(), read)
with override_settings(CONTACT_GUARD=read["CONTACT_GUARD"]):
    print(*(problem for problem, _fix in crm.adapter().problems()))
    print(*(record.name for record in crm.adapter().customers()))
    print(*sorted(f"{record.name}:{record.role}" for record in crm.adapter().employees()))
