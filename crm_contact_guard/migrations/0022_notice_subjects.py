import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Old code: the columns for any subject have defaults, so that versions with emails about alerts only may write."""

    dependencies = [
        ('crm_contact_guard', '0021_policy_versions'),
    ]

    operations = [
        migrations.AlterField(
            model_name='notice',
            name='alert',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='crm_contact_guard.alert'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='employee',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm_contact_guard.employee'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='state',
            field=models.CharField(choices=[('queued', 'Waiting to be sent'), ('sending', 'Being sent'), ('sent', 'Sent'), ('failed', 'Not delivered'), ('dropped', 'No longer needed')], default='queued', max_length=8),
        ),
        migrations.AddField(
            model_name='notice',
            name='recipient',
            field=models.CharField(db_default='', max_length=72),
        ),
        migrations.AddField(
            model_name='notice',
            name='topic',
            field=models.CharField(db_default='', max_length=32),
        ),
        migrations.AddField(
            model_name='notice',
            name='subject_type',
            field=models.CharField(db_default='', max_length=32),
        ),
        migrations.AddField(
            model_name='notice',
            name='subject_id',
            field=models.CharField(db_default='', max_length=64),
        ),
        migrations.AddField(
            model_name='notice',
            name='conversation',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm_contact_guard.conversation'),
        ),
        migrations.AddField(
            model_name='notice',
            name='way',
            field=models.CharField(db_default='email', max_length=32),
        ),
        migrations.AddField(
            model_name='notice',
            name='digest',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='crm_contact_guard.notice'),
        ),
        migrations.AddField(
            model_name='notice',
            name='created_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='read_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='NoticePreference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(max_length=32)),
                ('cadence', models.CharField(choices=[('at_once', 'At once'), ('threshold', 'When several come together, else once a day'), ('hourly', 'Once an hour'), ('daily', 'Once a day'), ('weekly', 'Once a week'), ('in_app', 'Only on these pages')], max_length=16)),
                ('way', models.CharField(default='email', max_length=32)),
                ('quiet', models.BooleanField(default=True)),
                ('count', models.PositiveSmallIntegerField(default=4)),
                ('minutes', models.PositiveSmallIntegerField(default=60)),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm_contact_guard.employee')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('employee', 'topic'), name='contact_guard_notice_preference')],
            },
        ),
    ]
