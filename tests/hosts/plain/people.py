"""Who the CRM knows. Run by the command ``shell``."""

from project.people.models import Client, Office, Person

office = Office.objects.create(name="Kyoto")
aoi, ken = (
    Person.objects.create(
        login=name,
        secret="correct horse",
        full_name=f"{name.title()} Mori",
        email=f"{name}@kaede.example",
        role=role,
        office=office,
    )
    for name, role in (("aoi", "seller"), ("ken", "manager"))
)
Client.objects.create(full_name="Hanako Sato", email="hanako@mail.example", gsm="+81 90 1234 5678", seller=aoi)
