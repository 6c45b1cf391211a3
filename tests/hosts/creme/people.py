"""Who the CRM knows: who sells, who is in charge, the team that they are, and two contacts beside their own."""

from creme.creme_core.models import CremeUser, UserRole
from creme.persons import get_contact_model

role = UserRole.objects.get()
role.allowed_apps = {"creme_core", "persons"}
role.save()
aoi, ken = (
    CremeUser.objects.create_user(
        username=name,
        first_name=name.title(),
        last_name="Mori",
        email=f"{name}@kaede.example",
        password="correct horse",
        is_superuser=name == "ken",
        role=None if name == "ken" else role,
    )
    for name in ("aoi", "ken")
)
# The superuser that every installation begins with is put aside.
CremeUser.objects.filter(username="root").update(is_active=False)
team = CremeUser.objects.create(username="Sales", is_team=True)
team.teammates = [aoi, ken]
told = {"Hanako": aoi, "Jiro": team}
for name, owner in told.items():
    get_contact_model().objects.create(
        user=owner, first_name=name, last_name="Sato", email=f"{name.lower()}@mail.example", mobile="+819012345678"
    )
get_contact_model().objects.create(user=aoi, first_name="Saburo", last_name="Sato", is_deleted=True)
