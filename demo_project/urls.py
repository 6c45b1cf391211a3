"""URLs of the demo CRM, the demo's mail, and crm_contact_guard under ``/guard/``."""

from django.urls import include, path

urlpatterns = [
    path("", include("demo_project.frontdesk.urls")),
    path("guard/", include("crm_contact_guard.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("mailbox/", include("demo_project.mailbox.urls")),
]
