"""Customers' requests about their data: who may look, who may act, and what the record says of it."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.http import HttpResponse

from crm_contact_guard.directory.models import Customer
from crm_contact_guard.privacy.holds import hold_place
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record.models import Event
from tests.console.conftest import Hotel, says, url

OK, AWAY, NO, NONE = 200, 302, 403, 404
WHY = {"erase-reason": "Asked by letter of 20 November", "erase-confirm": "on"}
HOLD = {"hold-name": "Case 41", "hold-reason": "A court asked"}


def html(response: HttpResponse) -> str:
    return response.content.decode()


def guest(hotel: Hotel) -> Customer:
    return hotel.talk.customer


def hold(hotel: Hotel) -> LegalHold:
    return hold_place(name="Case 41", reason="A court asked", placed_by=None, customer=guest(hotel))


def kinds() -> list[str]:
    rows = Event.objects.filter(kind__regex=r"^(subject|hold)\.").order_by("recorded_at", "id")
    return list(rows.values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("who", "look", "act"),
    [
        ("nobody", AWAY, AWAY),
        ("visitor", NO, NO),
        ("aoi", NO, NO),
        ("chief", NO, NO),
        ("auditor", OK, NO),
        ("compliance", OK, OK),
    ],
)
def test_role_by_page_and_act(hotel: Hotel, who: str, look: int, act: int) -> None:
    says(hotel.talk, "hello")
    standing = hold(hotel)
    before = kinds()

    looks = [hotel.get(who, "data_requests", query="?q=Hanako"), hotel.get(who, "customer_data", guest(hotel).pk)]
    acts = [
        hotel.post(who, "customer_data_disclose", guest(hotel).pk),
        hotel.post(who, "customer_data_hold_place", guest(hotel).pk, data=HOLD),
        hotel.post(who, "customer_data_hold_release", guest(hotel).pk, standing.pk, data={"release-reason": "over"}),
        hotel.post(who, "customer_data_erase", guest(hotel).pk, data=WHY),
    ]

    assert [response.status_code for response in looks] == [look, look]
    if acts[0].streaming:
        list(acts[0])  # read to the end, so that its file is closed
    if act == OK:
        assert [response.status_code for response in acts] == [200, 302, 302, 302]
    else:
        assert [response.status_code for response in acts] == [act] * 4
        assert kinds() == before
        standing.refresh_from_db()
        assert standing.released_at is None
        assert hotel.talk.messages.get().text == "hello"


@pytest.mark.parametrize(("who", "shown"), [("aoi", False), ("chief", False), ("auditor", True), ("compliance", True)])
def test_navigation_names_the_page_only_to_those_who_may(hotel: Hotel, who: str, shown: bool) -> None:
    page = html(hotel.get(who, "dashboard", follow=True))

    assert (f'href="{url("data_requests")}"' in page) is shown


def test_an_auditor_sees_counts_and_holds_and_no_form(hotel: Hotel) -> None:
    says(hotel.talk, "secret words")
    hold(hotel)

    page = html(hotel.get("auditor", "customer_data", guest(hotel).pk))

    assert "Case 41" in page
    assert "Messages with content</dt><dd>1</dd>" in page
    assert "Under a legal hold</dt><dd>1</dd>" in page
    assert "secret words" not in page
    assert "/erasure/" not in page
    assert f"{guest(hotel).pk}/holds/" not in page
    assert "/disclosure/" not in page


@pytest.mark.parametrize("by", ["name", "part", "key", "id"])
def test_a_customer_is_found(hotel: Hotel, by: str) -> None:
    customer = guest(hotel)
    words = {"name": "Hanako Sato", "part": "nako sa", "key": customer.key, "id": str(customer.pk)}[by]

    page = html(hotel.get("compliance", "data_requests", query=f"?q={words}"))

    assert url("customer_data", customer.pk) in page
    assert url("customer_data", hotel.other.customer.pk) not in page


def test_customers_of_another_tenant_do_not_exist(hotel: Hotel) -> None:
    stranger = Customer.objects.create(tenant="other", key="900", name="Hanako Elsewhere")

    assert "Elsewhere" not in html(hotel.get("compliance", "data_requests", query="?q=Hanako"))
    assert hotel.get("compliance", "customer_data", stranger.pk).status_code == NONE
    assert hotel.post("compliance", "customer_data_erase", stranger.pk, data=WHY).status_code == NONE
    stranger.refresh_from_db()
    assert stranger.name == "Hanako Elsewhere"


@pytest.mark.parametrize("words", ["%00", "a%00b", "%FF%FE", "'%20OR%201=1--", "<script>x</script>", "٣" * 300])
def test_hostile_searches_find_nothing_and_break_nothing(hotel: Hotel, words: str) -> None:
    response = hotel.get("compliance", "data_requests", query=f"?q={words}")

    assert response.status_code == OK
    assert "<script>x" not in html(response)
    assert url("customer_data", guest(hotel).pk) not in html(response)


def test_names_of_customers_and_holds_are_escaped(hotel: Hotel) -> None:
    Customer.objects.filter(pk=guest(hotel).pk).update(name="<img src=x>")
    hotel.post(
        "compliance",
        "customer_data_hold_place",
        guest(hotel).pk,
        data={"hold-name": "<b>hold", "hold-reason": "<i>because"},
    )

    page = html(hotel.get("compliance", "customer_data", guest(hotel).pk))

    assert "<img" not in page
    assert "<b>hold" not in page
    assert "<i>because" not in page
    assert "&lt;b&gt;hold" in page


def test_everything_said_comes_as_a_file_and_is_recorded(hotel: Hotel) -> None:
    says(hotel.talk, "日本語 and 4242 4242 4242 4242")
    says(hotel.other, "of somebody else")

    response = hotel.post("compliance", "customer_data_disclose", guest(hotel).pk)

    assert response["Content-Disposition"] == f'attachment; filename="customer-{guest(hotel).pk}.json"'
    assert response["Cache-Control"] == "no-store, private"
    given = json.loads(b"".join(response.streaming_content))  # type: ignore[attr-defined]
    assert given["customer"]["name"] == "Hanako Sato"
    assert [message["text"] for message in given["messages"]] == ["日本語 and 4242 4242 4242 4242"]
    event = Event.objects.get(kind="subject.disclosed")
    assert (event.subject_id, event.actor) == (str(guest(hotel).pk), str(hotel.people["compliance"].pk))
    assert "Disclosed · Compliance" in html(hotel.get("compliance", "customer_data", guest(hotel).pk))


def test_a_link_alone_discloses_nothing(hotel: Hotel) -> None:
    assert hotel.get("compliance", "customer_data_disclose", guest(hotel).pk).status_code == 405
    assert kinds() == []


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"erase-reason": "Asked by letter"},
        {"erase-confirm": "on"},
        {"erase-reason": "   ", "erase-confirm": "on"},
        {"erase-reason": "a\0b", "erase-confirm": "on"},
        {"erase-reason": "x" * 501, "erase-confirm": "on"},
    ],
)
def test_without_reason_and_tick_nothing_is_erased(hotel: Hotel, form: dict[str, str]) -> None:
    message = says(hotel.talk, "hello")

    response = hotel.post("compliance", "customer_data_erase", guest(hotel).pk, data=form)

    assert response.status_code == 422
    assert 'role="alert"' in html(response)
    message.refresh_from_db()
    assert message.text == "hello"
    assert kinds() == []


def test_a_mistake_keeps_the_reason(hotel: Hotel) -> None:
    response = hotel.post(
        "compliance", "customer_data_erase", guest(hotel).pk, data={"erase-reason": "By letter & mail"}
    )

    assert 'value="By letter &amp; mail"' in html(response)


def test_erasing_leaves_the_others_and_says_so(hotel: Hotel) -> None:
    message, other = says(hotel.talk, "hello"), says(hotel.other, "stays")

    response = hotel.browser("compliance").post(url("customer_data_erase", guest(hotel).pk), WHY, follow=True)

    page = html(response)  # type: ignore[arg-type]
    assert "What was kept of this customer has been erased." in page
    assert "Asked by letter of 20 November" in page
    assert "Messages with content</dt><dd>0</dd>" in page
    message.refresh_from_db()
    other.refresh_from_db()
    assert message.text is None
    assert other.text == "stays"
    assert Event.objects.get(kind="subject.erased").actor == str(hotel.people["compliance"].pk)


def test_what_a_hold_covers_is_kept_and_named(hotel: Hotel) -> None:
    message = says(hotel.talk, "evidence")
    hold(hotel)
    assert "1 message stands under a legal hold" in html(hotel.get("compliance", "customer_data", guest(hotel).pk))

    page = html(hotel.browser("compliance").post(url("customer_data_erase", guest(hotel).pk), WHY, follow=True))  # type: ignore[arg-type]

    assert "Erased, except 1 message that a legal hold keeps." in page
    message.refresh_from_db()
    assert message.text == "evidence"
    assert Customer.objects.get(pk=guest(hotel).pk).name == "Hanako Sato"


def test_the_address_alone_claims_no_erasure(hotel: Hotel) -> None:
    assert "cg-told" not in html(hotel.get("compliance", "customer_data", guest(hotel).pk, query="?done=erased"))


def test_a_hold_is_placed_listed_and_released_once(hotel: Hotel) -> None:
    hotel.post("compliance", "customer_data_hold_place", guest(hotel).pk, data=HOLD)
    placed = LegalHold.objects.get()
    page = html(hotel.get("auditor", "customer_data", guest(hotel).pk))
    for _ in range(2):
        hotel.post(
            "compliance", "customer_data_hold_release", guest(hotel).pk, placed.pk, data={"release-reason": "Over"}
        )

    assert placed.customer == guest(hotel)
    assert "<strong>Case 41</strong>" in page
    assert "A court asked" in page
    assert kinds() == ["hold.placed", "hold.released"]
    assert "<strong>Case 41</strong>" not in html(hotel.get("auditor", "customer_data", guest(hotel).pk))


def test_a_hold_needs_a_name_and_a_reason_and_so_does_its_end(hotel: Hotel) -> None:
    standing = hold(hotel)

    for page, args, data in (
        ("customer_data_hold_place", [], {"hold-name": "x"}),
        ("customer_data_hold_place", [], {"hold-reason": "x"}),
        ("customer_data_hold_release", [standing.pk], {"release-reason": " "}),
    ):
        assert hotel.post("compliance", page, guest(hotel).pk, *args, data=data).status_code == 422
    assert kinds() == ["hold.placed"]


def test_a_hold_of_another_customer_is_not_released_here(hotel: Hotel) -> None:
    standing = hold(hotel)

    for pk in (standing.pk, uuid4()):
        form = {"release-reason": "mine"}
        response = hotel.post("compliance", "customer_data_hold_release", hotel.other.customer.pk, pk, data=form)
        assert response.status_code == NONE
    standing.refresh_from_db()
    assert standing.released_at is None


def test_the_page_speaks_japanese(hotel: Hotel) -> None:
    says(hotel.talk, "hello")
    page = html(hotel.get("compliance", "customer_data", guest(hotel).pk, headers={"accept-language": "ja"}))

    assert "法的保全" in page
    assert "このお客様のデータを消去…" in page
