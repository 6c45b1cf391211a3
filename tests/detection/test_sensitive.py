"""Cards, My Numbers and credentials: found by check digit and label, and masked."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_contact_guard.detection.sensitive.check_digits import is_card, is_my_number, luhn
from crm_contact_guard.detection.sensitive.credentials import CREDENTIAL
from crm_contact_guard.detection.sensitive.finding import CARD, MY_NUMBER, find, mask
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company, Direction, Finding, Kind

#: Test numbers published by card schemes and payment processors.
VISA, AMEX, MASTER, JCB = "4111111111111111", "378282246310005", "5555555555554444", "3530111333300000"


def seen(text: str, direction: Direction = Direction.INBOUND) -> list[Finding]:
    return list(find(normalise(text), direction, Company()))


def evidence(text: str) -> list[tuple[str, str]]:
    return [(finding.detector, text[finding.start : finding.end]) for finding in seen(text)]


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        (VISA, True),
        (AMEX, True),
        (MASTER, True),
        (JCB, True),
        ("4111111111111112", False),
        ("1234567890123452", False),
        ("4" * 16, False),
    ],
)
def test_card_numbers(number: str, valid: bool) -> None:
    assert is_card(number) is valid


@settings(max_examples=200)
@given(st.from_regex(r"\A[0-9]{12,18}\Z"), st.integers(0, 18))
def test_luhn_detects_any_single_wrong_digit(body: str, place: int) -> None:
    number = next(body + digit for digit in "0123456789" if luhn(body + digit))
    place %= len(number)
    for digit in set("0123456789") - {number[place]}:
        assert not luhn(number[:place] + digit + number[place + 1 :])


def my_number(body: str) -> str:
    """Twelve digits by the ordinance's formula, implemented independently: weights 6 5 4 3 2 7 6 5 4 3 2."""
    total = sum(int(digit) * weight for digit, weight in zip(body, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
    return body + str(0 if total % 11 <= 1 else 11 - total % 11)


@settings(max_examples=200)
@given(st.from_regex(r"\A[0-9]{11}\Z").filter(lambda body: len(set(body)) > 1))
def test_my_number_check_digit(body: str) -> None:
    number = my_number(body)
    assert is_my_number(number)
    assert not is_my_number(body + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("My card is 4111 1111 1111 1111, exp 12/27.", "4111 1111 1111 1111"),
        ("カード番号は４１１１-１１１１-１１１１-１１１１です", "４１１１-１１１１-１１１１-１１１１"),
        ("3782 822463 10005", "3782 822463 10005"),
        (f"決済は{VISA}でお願いします", VISA),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
        ("注文番号はA-77です。カード 5555 5555 5555 4444 で払います", "5555 5555 5555 4444"),
        ("4111\u200b1111 1111 1111 is the card", "4111\u200b1111 1111 1111"),
        ("visa 4111-1111-1111-1111 123", "4111-1111-1111-1111"),
    ],
)
def test_cards_are_found(text: str, number: str) -> None:
    assert evidence(text) == [(CARD, number)]


@pytest.mark.parametrize(
    "text",
    [
        f"Order number {VISA} has not arrived.",
        f"注文番号 {VISA} の件です",
        "追跡番号は 4111-1111-1111-1111 です",
        "Loyalty number: 5555 5555 5555 4444",
        "IMEI 490154203237518",
        "The meeting ID is 4111 1111 1111 1111 2222 3333 4444 5555",
        "4111 1111 1111 1112",
        "1234 5678 9012 3456",
        "市場コードの一覧: 0000 0000 0000 0000",
        "call 090-1234-5678 or 03-1234-5678",
    ],
)
def test_numbers_with_another_label_or_a_wrong_digit_are_not_cards(text: str) -> None:
    assert evidence(text) == []


def test_a_number_without_label_scores_higher_if_grouped_as_on_a_card() -> None:
    (grouped,) = seen("4111 1111 1111 1111")
    (bare,) = seen(VISA)
    (named,) = seen(f"card {VISA}")
    assert named.score > grouped.score > bare.score >= 0.5


def test_my_number_needs_its_label() -> None:
    number = my_number("12345678901")
    grouped = f"{number[:4]}-{number[4:8]}-{number[8:]}"
    assert evidence(f"マイナンバーは{number}です") == [(MY_NUMBER, number)]
    assert evidence(f"個人番号：{grouped}") == [(MY_NUMBER, grouped)]
    assert evidence(f"お荷物の追跡番号 {grouped}") == []
    assert evidence(grouped) == []
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert evidence(f"マイナンバーは{wrong}です") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my password is hunter2", "hunter2"),
        ("password: sunshine", "sunshine"),
        ("My online banking password is fluffy.", "fluffy"),
        ("パスワードは Tokyo2026! です", "Tokyo2026!"),
        ("キャッシュカードの暗証番号は4471です", "4471"),
        ("PIN: 4471", "4471"),
        ("認証コードは 482913 でした", "482913"),
        ("ID: tanaka01 / PW: Fuji-3776", "Fuji-3776"),
        ("ネットバンキングのログインパスワード：Kiku8841", "Kiku8841"),
        ("the one-time code is 991204", "991204"),
        ("cvv 123", "123"),
        ("비밀번호: qwer1234", "qwer1234"),
        ("セキュリティ番号は 482 です", "482"),
    ],
)
def test_credentials_are_found(text: str, value: str) -> None:
    assert evidence(text) == [(CREDENTIAL, value)]


@pytest.mark.parametrize(
    "text",
    [
        "The Wi-Fi password is sunflower99.",
        "客室Wi-FiのIDは guest_5F、パスワードは yuzu8080 です。",
        "客室のWiFiパスワードは guest2026 です",
        "キーボックスの暗証番号は4471です",
        "The door code PIN is 4471.",
        "添付ZIPのパスワードは abc12345 です",
        "Zoom meeting passcode: 778812",
        "My password is wrong.",
        "The password was reset yesterday.",
        "パスワードは8文字以上にしてください",
        "password must be 8-16 characters",
        "暗証番号を3回間違えました",
        "認証コードが届きません",
        "Password reset: https://portal.example/reset",
        "pass the salt code red",
    ],
)
def test_codes_for_doors_files_and_wifi_and_remarks_on_passwords_are_not_credentials(text: str) -> None:
    assert evidence(text) == []


def test_both_sides_are_checked_in_the_same_way() -> None:
    for direction in Direction:
        assert [finding.kind for finding in seen("my password is hunter2", direction)] == [Kind.SENSITIVE_DATA]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("My card is 4111 1111 1111 1111, thanks", "My card is •••• •••• •••• 1111, thanks"),
        ("カードは４１１１-１１１１-１１１１-１１１１です", "カードは••••-••••-••••-１１１１です"),
        ("my password is hunter2", "my password is •••••••"),
        ("個人番号 1234-5678-9018", "個人番号 ••••-••••-••••"),
    ],
)
def test_mask_keeps_the_length_and_the_last_four_digits_of_a_card(text: str, shown: str) -> None:
    masked = mask(text, seen(text))
    assert masked == shown
    assert len(masked) == len(text)


def test_mask_ignores_other_kinds_and_spans_outside_the_text() -> None:
    text = "call me"
    assert mask(text, [Finding(Kind.CONTACT_REQUEST, 0, 7, 0.9, "x", "1")]) == text
    assert mask(text, [Finding(Kind.SENSITIVE_DATA, -5, 99, 0.9, CREDENTIAL, "1")]) == "•" * 7


@settings(max_examples=150)
@given(st.text(alphabet=st.sampled_from("0123456789 -.４五パスワード:cardpin\u200b\ud800"), max_size=200))
def test_no_text_raises_and_masks_are_complete(text: str) -> None:
    found = seen(text)
    for finding in found:
        assert 0 <= finding.start < finding.end <= len(text)
    assert len(mask(text, found)) == len(text)


@pytest.mark.parametrize(
    "unit",
    [
        "4111 1111 1111 1111, ",
        "4111 1111 1111 1111 ",
        "password is ",
        "パスワード",
        "1234 ",
        "4",
        "pin: 4471 ",
        "カード注文番号",
    ],
)
def test_a_flood_is_cheap_and_everything_after_it_is_masked(unit: str) -> None:
    text = unit * (100_000 // len(unit)) + " my password is hunter2"
    normalised = normalise(text)
    started = time.process_time()
    found = list(find(normalised, Direction.INBOUND, Company()))
    assert time.process_time() - started < 0.5  # measured 0.02 s; this only excludes quadratic cost
    assert len(found) <= 102
    assert "hunter2" not in mask(text, found)
