"""Who works here and for whom. A person is a row like any other: no base class of Django's, no password of Django's."""

from django.db import models


class Office(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name


class Person(models.Model):
    login = models.CharField(max_length=40, unique=True)
    secret = models.CharField(max_length=40)
    full_name = models.CharField(max_length=100)
    email = models.EmailField()
    role = models.CharField(max_length=20, default="seller")
    office = models.ForeignKey(Office, null=True, on_delete=models.SET_NULL, related_name="people")

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS = ()
    is_active = is_authenticated = True
    is_anonymous = False

    def __str__(self):
        return self.full_name


class Client(models.Model):
    full_name = models.CharField(max_length=100)
    email = models.EmailField(blank=True)
    gsm = models.CharField(max_length=40, blank=True)
    seller = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL)

    def __str__(self):
        return self.full_name
