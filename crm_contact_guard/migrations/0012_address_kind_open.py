from django.db import migrations, models


class Migration(migrations.Migration):
    """Address kinds are declared by the channels. The column stays as it is."""

    dependencies = [
        ('crm_contact_guard', '0011_employee_calendar'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name='address',
                    name='kind',
                    field=models.CharField(max_length=16),
                ),
            ],
        ),
    ]
