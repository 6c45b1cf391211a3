from django.urls import include, path

from project.sign_in import sign_in

urlpatterns = [path("login/", sign_in), path("api/auth/", include("tenxyte.urls"))]
