"""The host's own sign-in: a signed cookie that holds a key."""

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.utils.html import format_html

from project.people.models import Person

COOKIE = "person"
PAGE = (
    '<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{}"><input name="login">'
    '<input name="secret" type="password"><button>Sign in</button></form>'
)


class Stranger:
    is_active = is_authenticated = False
    is_anonymous = True
    pk = None


class SignedIn:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        key = request.get_signed_cookie(COOKIE, None)
        request.user = Person.objects.filter(pk=key).first() or Stranger()
        return self.get_response(request)


def sign_in(request):
    person = Person.objects.filter(login=request.POST.get("login"), secret=request.POST.get("secret")).first()
    if person is None:
        return HttpResponse(format_html(PAGE, get_token(request)))
    answer = HttpResponseRedirect(request.GET.get("next", "/"))
    answer.set_signed_cookie(COOKIE, person.pk)
    return answer


def clients(request):
    if not request.user.is_authenticated:
        return HttpResponseRedirect(f"{settings.LOGIN_URL}?next={request.path}")
    return HttpResponse(", ".join(str(client) for client in request.user.client_set.all()))
