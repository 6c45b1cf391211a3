import crm_contact_guard.directory.ids
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_contact_guard', '0009_chat_typing'),
    ]

    operations = [
        migrations.AlterField(
            model_name='alert',
            name='resolution',
            field=models.CharField(blank=True, choices=[('false_positive', 'False alarm'), ('no_action', 'No action needed'), ('coaching', 'Talked it over'), ('case_opened', 'Case opened'), ('noticed', 'Only noticed')], default='', max_length=16),
        ),
        migrations.CreateModel(
            name='ReaderAnswer',
            fields=[
                ('id', models.UUIDField(default=crm_contact_guard.directory.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('first_tier', models.CharField(help_text='What the first stages said: alert or noticed.', max_length=8)),
                ('by', models.CharField(help_text='Whose attempt they saw.', max_length=8)),
                ('score', models.FloatField(help_text='Theirs, 0…1.')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('asking', 'Asking'), ('answered', 'Answered'), ('failed', 'Failed')], default='waiting', max_length=8)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('deadline', models.DateTimeField()),
                ('lease_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('asked_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('model', models.CharField(blank=True, default='', max_length=255)),
                ('prompt_version', models.CharField(blank=True, default='', max_length=16)),
                ('request_digest', models.CharField(blank=True, default='', help_text='SHA-256 of the last request.', max_length=64)),
                ('answer_digest', models.CharField(blank=True, default='', help_text='SHA-256 of the answer.', max_length=64)),
                ('attempt', models.BooleanField(null=True)),
                ('attempt_by', models.CharField(blank=True, default='', max_length=8)),
                ('why', models.TextField(null=True)),
                ('tier', models.CharField(blank=True, default='', help_text='What it came to: alert or noticed.', max_length=8)),
                ('outcome', models.CharField(blank=True, choices=[('promoted', 'Promoted'), ('demoted', 'Demoted'), ('agreed', 'Agreed'), ('overruled', 'Overruled')], default='', max_length=10)),
                ('error', models.CharField(blank=True, default='', max_length=32)),
                ('alert', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='crm_contact_guard.alert')),
                ('attempt_at', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm_contact_guard.message')),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='crm_contact_guard.message')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'asking'])), fields=['created_at'], name='contact_guard_reading_waits'), models.Index(fields=['alert', '-created_at'], name='contact_guard_reading_alert')],
                'constraints': [models.UniqueConstraint(fields=('message', 'by', 'first_tier'), name='contact_guard_reading_once')],
            },
        ),
    ]
