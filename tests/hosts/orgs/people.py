"""Two organisations with a seller, a head and a customer each, and row security where the database has it. Run by
``manage.py shell``."""

from common.models import Org, Profile, Teams, User
from common.rls import ORG_SCOPED_TABLES, get_enable_policy_sql
from common.tasks import clear_rls_context, set_rls_context
from contacts.models import Contact
from django.db import connection

if connection.vendor == "postgresql":
    with connection.cursor() as cursor:
        for table in sorted(set(ORG_SCOPED_TABLES) & set(connection.introspection.table_names())):
            cursor.execute(get_enable_policy_sql(table))
for name, seller, head, family, given in (
    ("Kaede", "aoi", "ken", "Sato", "Hanako"),
    ("Momiji", "emi", "rei", "Kato", "Taro"),
):
    org = Org.objects.create(name=name)
    set_rls_context(org.pk)
    team = Teams.objects.create(name=f"Sales of {name}", org=org)
    for login, role in ((seller, "USER"), (head, "ADMIN")):
        domain = f"{name.lower()}.example"
        user = User.objects.create_user(
            f"{login}@{domain}", password="correct horse", name=login.title(), is_staff=True
        )
        team.users.add(Profile.objects.create(user=user, org=org, role=role))
    contact = Contact.objects.create(
        first_name=given, last_name=family, email=f"{given.lower()}@mail.example", phone="+81 90 1234 5678", org=org
    )
    contact.assigned_to.add(Profile.objects.get(user__email__startswith=seller))
    contact.teams.add(team)
    clear_rls_context()
