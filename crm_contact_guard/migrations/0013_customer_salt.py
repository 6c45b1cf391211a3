from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_contact_guard', '0012_address_kind_open'),
    ]

    operations = [
        migrations.AddField(
            model_name='customer',
            name='salt',
            field=models.BinaryField(null=True),
        ),
    ]
