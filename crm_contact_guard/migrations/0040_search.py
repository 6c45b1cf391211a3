from django.db import migrations, models

import crm_contact_guard.search.fields

INDEX = "contact_guard_search_terms"


def index(apps, schema_editor):
    """Index the terms on PostgreSQL. A pending list (``fastupdate``) would make every search read it."""
    if schema_editor.connection.vendor == "postgresql":
        table = apps.get_model("crm_contact_guard", "SearchEntry")._meta.db_table
        schema_editor.execute(f"CREATE INDEX {INDEX} ON {table} USING gin (terms) WITH (fastupdate = off)")


class Migration(migrations.Migration):
    dependencies = [
        ("crm_contact_guard", "0039_api_token_scopes"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("message_id", models.UUIDField(unique=True)),
                ("terms", crm_contact_guard.search.fields.TermsField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RunPython(index, migrations.RunPython.noop),
    ]
