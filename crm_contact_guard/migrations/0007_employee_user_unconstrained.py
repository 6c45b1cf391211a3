"""Let go of the host's user table: a reference without a constraint of the database.

So the app's tables can lie in another database than the host's users, and can stay behind, with the record, when the app
is taken out: deleting a user then works as before. Cheap everywhere; code before and after it runs on both states.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("crm_contact_guard", "0006_line_works_address"),
    ]

    operations = [
        migrations.AlterField(
            model_name="employee",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
