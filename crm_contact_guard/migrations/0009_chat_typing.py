from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_contact_guard', '0008_dropped_address'),
    ]

    operations = [
        migrations.AddField(
            model_name='chatlink',
            name='customer_typing_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='chatlink',
            name='employee_typing_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
