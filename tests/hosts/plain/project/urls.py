from django.urls import path

from project.people.sign_in import clients, sign_in

urlpatterns = [path("sign-in/", sign_in), path("clients/", clients)]
