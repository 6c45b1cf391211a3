"""URLs of the CRM's pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from demo_project.frontdesk import views

urlpatterns = [
    path("favicon.ico", views.favicon),
    path("", views.home, name="home"),
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("guests/", views.guests, name="guests"),
    path("guests/<int:pk>/", views.guest, name="guest"),
]
