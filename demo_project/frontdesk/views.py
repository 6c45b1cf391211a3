"""The CRM's pages: today at the hotels, the guests, one guest."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from demo_project.frontdesk.models import Guest, Reservation

#: The logins listed on the page, in a sensible order to try them.
LOGINS = (
    ("employee", _("answers guests in Tokyo, writes Japanese")),
    ("employee2", _("answers guests in Tokyo, writes English")),
    ("supervisor", _("leads the Tokyo front desk, gets its alerts")),
    ("deputy", _("stands in when the supervisor is concerned")),
    ("compliance", _("sees all teams")),
    ("auditor", _("reads and exports, changes nothing")),
)


class Login(LoginView):
    template_name = "frontdesk/login.html"
    redirect_authenticated_user = True
    extra_context = {"logins": LOGINS}


def favicon(request: HttpRequest) -> HttpResponse:
    """The icon for pages without their own, such as the guest's chat."""
    return redirect(static("frontdesk/kaede.svg"))


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Today's arrivals, guests in house and departures."""
    today = timezone.localdate()
    stays = Reservation.objects.exclude(status=Reservation.Status.CANCELLED).select_related("guest__owner", "hotel")
    return render(
        request,
        "frontdesk/home.html",
        {
            "today": today,
            "arriving": stays.filter(arrives=today).order_by("guest__reading"),
            "in_house": stays.filter(arrives__lt=today, leaves__gt=today).order_by("room"),
            "leaving": stays.filter(leaves=today).order_by("room"),
            "mine": _with_stays(Guest.objects.filter(owner_id=request.user.pk, source=Guest.Source.HOTEL)),
        },
    )


@login_required
def guests(request: HttpRequest) -> HttpResponse:
    """The list of guests, with a search by name, code and address."""
    words = request.GET.get("q", "").strip()[:80]
    rows = Guest.objects.filter(source=Guest.Source.HOTEL)
    for word in words.split():
        rows = rows.filter(
            Q(name__icontains=word)
            | Q(reading__icontains=word)
            | Q(email__icontains=word)
            | Q(reservations__code__iexact=word)
        )
    page = Paginator(_with_stays(rows.distinct()), 30).get_page(request.GET.get("page"))
    return render(request, "frontdesk/guests.html", {"page": page, "words": words})


@login_required
def guest(request: HttpRequest, pk: int) -> HttpResponse:
    """One guest: details, stays, and the conversation (the plugin's panel)."""
    person = get_object_or_404(Guest.objects.select_related("owner__team"), pk=pk)
    stays = person.reservations.select_related("hotel")
    return render(request, "frontdesk/guest.html", {"guest": person, "stays": stays})


def _with_stays(rows: QuerySet[Guest]) -> QuerySet[Guest]:
    stays = Reservation.objects.select_related("hotel").order_by("-arrives")
    return rows.select_related("owner").prefetch_related(Prefetch("reservations", queryset=stays))
