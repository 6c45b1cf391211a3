"""Below an address that names the organisation, once by a path and once by an expression."""

from django.urls import include, path, re_path

urlpatterns = [
    path("<slug:org>/guard/", include("crm_contact_guard.urls")),
    re_path(
        r"^by/(?P<organisation>\w+)/", include([path("guard/", include("crm_contact_guard.urls", namespace="other"))])
    ),
]
