"""Customers and staff of the shop alike, as Oscar's documentation has them: they sign in by e-mail address."""

from oscar.apps.customer.abstract_models import AbstractUser


class Buyer(AbstractUser):
    pass
