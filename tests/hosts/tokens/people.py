"""Two organisations with a seller, a head and a contact each. Run by the command ``shell``."""

from project.contacts.models import Contact
from tenxyte.models.auth import User
from tenxyte.models.organization import Organization, OrganizationMembership, OrganizationRole

roles = {
    code: OrganizationRole.objects.get_or_create(code=code, defaults={"name": code})[0] for code in ("member", "admin")
}
for place, seller, head, client in (("kyoto", "aoi", "ken", "Hanako Sato"), ("osaka", "emi", "rei", "Taro Kato")):
    organization = Organization.objects.create(name=place.title(), slug=place)
    people = {}
    for name, code in ((seller, "member"), (head, "admin")):
        people[name] = User(email=f"{name}@{place}.example", first_name=name.title())
        people[name].set_password("correct horse")
        people[name].save()
        OrganizationMembership.objects.create(user=people[name], organization=organization, role=roles[code])
    Contact.objects.create(
        organization=organization,
        full_name=client,
        email=f"{client.split()[0].lower()}@mail.example",
        gsm="+81 90 1234 5678",
        owner=people[seller],
    )
