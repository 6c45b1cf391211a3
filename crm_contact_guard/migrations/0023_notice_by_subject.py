import django.db.models.deletion
from django.db import migrations, models


PAGE = 500


def _pages(model, rows):
    after = 0
    while True:
        page = list(rows.filter(pk__gt=after).order_by("pk")[:PAGE])
        if not page:
            return
        after = page[-1].pk
        yield page


def say_the_subject(apps, schema_editor):
    notice = apps.get_model("crm_contact_guard", "Notice")
    rows = notice.objects.using(schema_editor.connection.alias).select_related("alert").filter(alert__isnull=False)
    for page in _pages(notice, rows):
        for row in page:
            row.recipient, row.topic = str(row.employee_id), "alert"
            row.subject_type, row.subject_id = "alert", str(row.alert_id)
            row.conversation_id, row.way = row.alert.conversation_id, row.channel
        notice.objects.using(schema_editor.connection.alias).bulk_update(
            page, ["recipient", "topic", "subject_type", "subject_id", "conversation", "way"]
        )
    check_now(schema_editor)


def check_now(schema_editor):
    """Check foreign keys now. On PostgreSQL, checks that wait for the end of the transaction forbid altering the table."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def say_the_alert(apps, schema_editor):
    """Keep the emails about alerts. The version before knows no other notices, and one email about each alert."""
    notice = apps.get_model("crm_contact_guard", "Notice")
    rows = notice.objects.using(schema_editor.connection.alias)
    rows.update(digest=None)
    rows.exclude(subject_type="alert", way="email", employee__isnull=False).delete()
    kept = set()
    for page in _pages(notice, rows):
        for row in page:
            row.alert_id, row.channel = row.subject_id, "email"
            if (row.alert_id, row.employee_id) in kept:
                row.delete()
                continue
            kept.add((row.alert_id, row.employee_id))
            row.save(update_fields=["alert", "channel"])
    check_now(schema_editor)


class Migration(migrations.Migration):
    """Data and schema change together, so that no notice about an alert is written in between and loses its subject.

    Old code: no version that names notices by their alert was released.
    """

    dependencies = [
        ('crm_contact_guard', '0022_notice_subjects'),
    ]

    operations = [
        migrations.RunPython(say_the_subject, say_the_alert),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('recipient', 'topic', 'subject_type', 'subject_id', 'way'), name='contact_guard_notice_subject'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['state', 'due_at'], name='contact_guard_notice_due'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['employee', 'way', 'read_at'], name='contact_guard_notice_unread'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['subject_type', 'subject_id'], name='contact_guard_notice_about'),
        ),
        migrations.RemoveConstraint(
            model_name='notice',
            name='contact_guard_notice_once',
        ),
        migrations.RemoveField(
            model_name='notice',
            name='alert',
        ),
        migrations.RemoveField(
            model_name='notice',
            name='channel',
        ),
    ]
