"""Under a namespace of the host's own choice."""

from django.urls import include, path

urlpatterns = [path("guard/", include("crm_contact_guard.urls", namespace="watch"))]
