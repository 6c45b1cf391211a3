"""Who the shop knows: somebody who buys, who sells, and who is in charge. Run by ``manage.py shell``."""

from django.contrib.auth import get_user_model
from oscar.core.loading import get_model

Buyer = get_user_model()
hanako = Buyer.objects.create_user("hanako@mail.example", "correct horse", first_name="Hanako", last_name="Sato")
japan = get_model("address", "Country").objects.create(iso_3166_1_a2="JP", printable_name="Japan", name="Japan")
hanako.addresses.create(last_name="Sato", line1="1-1", country=japan, phone_number="+81312345678")
Buyer.objects.create_user("jiro@mail.example", "correct horse", first_name="Jiro", last_name="Sato")
for name in ("aoi", "ken"):
    user = Buyer.objects.create_user(f"{name}@kaede.example", "correct horse", first_name=name.title())
    user.is_staff, user.is_superuser = True, name == "ken"
    user.save()
