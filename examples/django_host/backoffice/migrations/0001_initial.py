"""The first table."""

from django.core.validators import ProhibitNullCharactersValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes ``Request``."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="Request",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("customer", models.CharField(max_length=100, validators=[ProhibitNullCharactersValidator()])),
                ("item_number", models.PositiveIntegerField()),
            ],
        ),
    )
