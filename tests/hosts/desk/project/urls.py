from django.urls import include, path
from helpdesk.views.auth import default_login_view

urlpatterns = [
    # The helpdesk wraps its login page in a view without the mark that the login-required middleware looks for.
    path("login/", default_login_view),
    path("", include("helpdesk.urls", namespace="helpdesk")),
]
