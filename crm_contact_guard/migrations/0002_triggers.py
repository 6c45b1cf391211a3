"""The database's own refusal to change recorded rows.

The statements are built by ``record.triggers`` from the columns that exist, so this migration holds at any later state;
the same function runs after every migrate, since SQLite drops triggers when it rebuilds a table.
"""

from django.db import migrations

from crm_contact_guard.record import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor.connection)


def remove(apps, schema_editor):
    triggers.uninstall(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("crm_contact_guard", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
