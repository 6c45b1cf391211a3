"""Everything below the language's prefix."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns = i18n_patterns(path("guard/", include("crm_contact_guard.urls")))
