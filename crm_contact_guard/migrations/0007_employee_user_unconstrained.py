"""Let go of the host's user table: a reference without a constraint of the database.

So the app's tables can lie in another database than the host's users, and can stay behind, with the record, when the app
is taken out: deleting a user then works as before. New installations never have the constraint; this takes it from
those made before. Cheap, and code before and after runs on both. Nothing to reverse.
"""

from copy import copy

from django.db import migrations


def release(apps, schema_editor):
    employee = apps.get_model("crm_contact_guard", "Employee")
    free = employee._meta.get_field("user")
    bound = copy(free)
    bound.db_constraint = True
    schema_editor.alter_field(employee, bound, free)


class Migration(migrations.Migration):
    dependencies = [("crm_contact_guard", "0006_line_works_address")]

    # MariaDB refuses to alter a table within a transaction; elsewhere the migration's own one holds.
    operations = [migrations.RunPython(release, migrations.RunPython.noop, atomic=False)]
