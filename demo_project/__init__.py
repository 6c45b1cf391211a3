"""The demo CRM of Kaede Hotel Group, a host into which crm_contact_guard is installed."""

from demo_project.celery import app as celery_app

__all__ = ["celery_app"]
