from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_contact_guard', '0011_employee_calendar'),
    ]

    operations = [
        migrations.AddField(
            model_name='customer',
            name='salt',
            field=models.BinaryField(null=True),
        ),
    ]
