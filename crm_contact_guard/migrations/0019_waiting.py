
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_contact_guard', '0018_cases'),
    ]

    operations = [
        migrations.AlterField(
            model_name='delivery',
            name='state',
            field=models.CharField(choices=[('queued', 'Waiting to be sent'), ('sending', 'Being sent'), ('sent', 'Sent'), ('delivered', 'Delivered'), ('read', 'Read'), ('failed', 'Not delivered'), ('uncertain', 'Perhaps sent'), ('waiting', 'Not sent yet'), ('held', 'Waiting for the supervisor'), ('recalled', 'Taken back, not sent'), ('returned', 'Returned, not sent'), ('rejected', 'Rejected, not sent'), ('expired', 'Expired, not sent')], default='queued', max_length=16),
        ),
        migrations.CreateModel(
            name='Wait',
            fields=[
                ('message', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='wait', serialize=False, to='crm_contact_guard.message')),
                ('reason', models.CharField(choices=[('undo', 'Can still be taken back'), ('schedule', 'Goes out later'), ('hold', 'A supervisor decides')], max_length=16)),
                ('state', models.CharField(choices=[('waiting', 'Not sent yet'), ('held', 'Waiting for the supervisor'), ('released', 'Released'), ('recalled', 'Taken back, not sent'), ('returned', 'Returned, not sent'), ('rejected', 'Rejected, not sent'), ('expired', 'Expired, not sent')], max_length=16)),
                ('due_at', models.DateTimeField(null=True)),
                ('wanted_at', models.DateTimeField(null=True)),
                ('answered', models.JSONField(default=list)),
                ('reminded_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm_contact_guard.employee')),
                ('replaces', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm_contact_guard.message')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'held'])), fields=['due_at'], name='contact_guard_wait_due')],
            },
        ),
    ]
