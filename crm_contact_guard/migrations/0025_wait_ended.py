
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_contact_guard', '0024_flag_answers'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='wait',
            index=models.Index(condition=models.Q(('state__in', ['returned', 'rejected', 'expired'])), fields=['ended_at'], name='contact_guard_wait_ended'),
        ),
    ]
