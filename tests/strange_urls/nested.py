"""Within another app's namespace."""

from django.urls import include, path

crm = ([path("guard/", include("crm_contact_guard.urls"))], "crm")
urlpatterns = [path("crm/", include(crm))]
