"""All URLs of the app, which a host includes under a prefix of its choice."""

from __future__ import annotations

from django.urls import include, path

from crm_contact_guard.intake import webhooks
from crm_contact_guard.monitoring import health

app_name = "crm_contact_guard"

urlpatterns = [
    path("api/v1/", include("crm_contact_guard.api.urls")),
    path("webhooks/<str:alias>/", webhooks.webhook, name="webhook"),
    path("health/", health.status, name="health"),
    path("health/live/", health.live, name="health_live"),
    path("health/ready/", health.ready, name="health_ready"),
    path("metrics/", health.metrics, name="metrics"),
    path("", include("crm_contact_guard.console.urls")),
]
