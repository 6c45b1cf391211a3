"""The CRM that a company has: who works in it, and one contact. Run by ``manage.py shell``."""

from common.models import Department
from crm.models import Company, Contact
from django.contrib.auth.models import Group, User

sales = Department.objects.get(name="Global sales")
for name, group in (("aoi", "managers"), ("ken", "chiefs")):
    user = User.objects.create_user(name, f"{name}@kaede.example", "correct horse", is_staff=True)
    user.groups.add(sales, Group.objects.get(name=group))
User.objects.get(username="ken").groups.add(Department.objects.get(name="Local sales"))
aoi = User.objects.get(username="aoi")
company = Company.objects.create(full_name="Sato Shoten", owner=aoi, department=sales)
Contact.objects.create(
    first_name="Hanako",
    last_name="Sato",
    email="hanako@mail.example, h.sato@work.example",
    phone="090-1234-5678",
    company=company,
    owner=aoi,
    department=sales,
)
