"""The demo CRM of Kaede Hotel Group, a host project with crm_contact_guard installed."""

from demo_project.celery import app as celery_app

__all__ = ["celery_app"]
