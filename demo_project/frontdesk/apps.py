"""The front desk: the demo's CRM."""

from django.apps import AppConfig


class FrontdeskConfig(AppConfig):
    name = "demo_project.frontdesk"
    default_auto_field = "django.db.models.BigAutoField"
