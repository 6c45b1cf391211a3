"""URLs of the test host: the app under a prefix that the host chose."""

from django.urls import include, path

urlpatterns = [path("guard/", include("crm_contact_guard.urls"))]
