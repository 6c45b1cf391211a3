"""URLs of the demo's mail pages."""

from django.urls import path

from demo_project.mailbox import views

urlpatterns = [
    path("", views.people, name="mailbox"),
    path("<str:address>/", views.box, name="mailbox_person"),
    path("<str:address>/write/", views.write, name="mailbox_write"),
    path("<str:address>/<str:key>/", views.mail, name="mailbox_mail"),
]
