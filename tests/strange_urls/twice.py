"""At two addresses, an old one and a new one."""

from django.urls import include, path

urlpatterns = [
    path("old/", include("crm_contact_guard.urls", namespace="former")),
    path("guard/", include("crm_contact_guard.urls")),
]
