"""The tables, and the policy on each that is an organisation's own."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OWN = ("branch", "profile", "contact")


def secured(table):
    return migrations.RunSQL(
        [
            f"ALTER TABLE row_security_{table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE row_security_{table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY own ON row_security_{table}"
            " USING (org_id = nullif(current_setting('app.org', true), '')::uuid)",
        ],
        migrations.RunSQL.noop,
    )


def to(model, **options):
    return models.ForeignKey(model, on_delete=options.pop("gone", django.db.models.deletion.CASCADE), **options)


NULL = {"null": True, "gone": django.db.models.deletion.SET_NULL}
SMALL = {"primary_key": True, "serialize": False, "auto_created": True, "verbose_name": "ID"}
LARGE = {"primary_key": True, "serialize": False, "default": uuid.uuid4}


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            "User",
            [
                ("id", models.BigAutoField(**SMALL)),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            "Organisation",
            [("id", models.UUIDField(**LARGE)), ("name", models.CharField(max_length=100))],
        ),
        migrations.CreateModel(
            "Branch",
            [
                ("id", models.BigAutoField(**SMALL)),
                ("title", models.CharField(max_length=100)),
                ("head", to(settings.AUTH_USER_MODEL, related_name="+", **NULL)),
                ("org", to("row_security.organisation")),
            ],
        ),
        migrations.CreateModel(
            "Profile",
            [
                ("id", models.BigAutoField(**SMALL)),
                ("job", models.CharField(max_length=20)),
                ("branch", to("row_security.branch", **NULL)),
                ("org", to("row_security.organisation")),
                ("user", to(settings.AUTH_USER_MODEL, related_name="profiles")),
            ],
        ),
        migrations.CreateModel(
            "Contact",
            [
                ("id", models.UUIDField(**LARGE)),
                ("name", models.CharField(max_length=100)),
                ("email", models.EmailField(max_length=254)),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("org", to("row_security.organisation")),
                ("owner", to(settings.AUTH_USER_MODEL, **NULL)),
            ],
        ),
        *map(secured, OWN),
    ]
