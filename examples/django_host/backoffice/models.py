"""What this project keeps beside the forge."""

from __future__ import annotations

from django.core.validators import ProhibitNullCharactersValidator
from django.db import models


class Request(models.Model):
    """A customer's wish, which became a work item of the forge."""

    customer = models.CharField(max_length=100, validators=[ProhibitNullCharactersValidator()])
    item_number = models.PositiveIntegerField()

    def __str__(self) -> str:
        """Tell whose wish it is."""
        return f"{self.customer}: #{self.item_number}"
