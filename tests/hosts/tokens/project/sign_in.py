"""Pages for people: the token that a program would send is in a cookie. A tenant comes with it as with a program's."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.utils.html import format_html
from tenxyte.adapters.django import get_django_settings
from tenxyte.core.jwt_service import JWTService
from tenxyte.models.auth import User

COOKIE = "token"
PAGE = (
    '<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{}"><input name="username">'
    '<input name="password" type="password"><button>Sign in</button></form>'
)


class SignedIn:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        payload = JWTService(settings=get_django_settings()).decode_token(request.COOKIES.get(COOKIE, ""))
        known = payload is not None and payload.is_valid
        request.user = (User.objects.filter(pk=payload.user_id).first() if known else None) or AnonymousUser()
        return self.get_response(request)


def sign_in(request):
    user = User.objects.filter(email=request.POST.get("username")).first()
    if user is None or not user.check_password(request.POST.get("password", "")):
        return HttpResponse(format_html(PAGE, get_token(request)))
    answer = HttpResponseRedirect(request.GET.get("next", "/"))
    token, _id, _until = JWTService(settings=get_django_settings()).generate_access_token(str(user.pk), "1")
    answer.set_cookie(COOKIE, token, httponly=True)
    return answer
