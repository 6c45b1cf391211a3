"""A company's own words and rules: loading, linting by line, dry run, and use in a scan."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_contact_guard.detection import ThreadMessage, read_thread, reason, scan
from crm_contact_guard.detection.company_rules.file import CompanyFileError, read_company
from crm_contact_guard.detection.company_rules.lint import Problem, lint, refusal
from crm_contact_guard.detection.company_rules.rules import dry_run, load
from crm_contact_guard.detection.types import By, Company, CompanyRule, Direction, Kind, Stance

GOOD = """\
version = "2026-11-24"
domains = ["minato.example"]
regions = ["JP", "GB"]
threshold = 0.6

[own_words]
side_deal = ["裏メニュー", "back room price"]

[[rules]]
id = "club_card"
kind = "contact_request"
direction = "inbound"
score = 0.7
pattern = 'club card.{0,20}(?:yours|your own)'
unless = 'lost|expired'
hits = ["Is that CLUB CARD your own?"]
misses = ["My club card expired, is yours?"]
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "company.toml"
    path.write_text(GOOD, "utf-8")
    return path


def problems(tmp_path: Path, text: str, name: str = "company.toml") -> list[Problem]:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return lint(path)


def test_a_valid_file_is_loaded(good: Path) -> None:
    assert lint(good) == []
    company = load(good)
    assert company.version == "2026-11-24"
    assert company.regions == ("JP", "GB")
    assert company.own_words == {"side_deal": ("裏メニュー", "back room price")}
    assert [rule.id for rule in company.rules] == ["club_card"]
    assert read_company(str(good)) == company


def test_json_gives_the_same_company(tmp_path: Path, good: Path) -> None:
    company = load(good)
    data = {
        "version": company.version,
        "domains": sorted(company.domains),
        "regions": list(company.regions),
        "threshold": company.threshold,
        "own_words": {kind: list(words) for kind, words in company.own_words.items()},
        "rules": [
            {
                "id": rule.id,
                "kind": rule.kind,
                "direction": rule.direction,
                "score": rule.score,
                "pattern": rule.pattern,
            }
            | {"unless": rule.unless, "hits": list(rule.hits), "misses": list(rule.misses)}
            for rule in company.rules
        ],
    }
    path = tmp_path / "company.json"
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), "utf-8")
    assert load(path) == company


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('phonse = ["1"]\n', 1, "did you mean 'phones'"),
        ('\n\nregions = ["JP",\n  "usa"]\n', 4, "'usa'"),
        ("threshold = 3\n", 1, "between 0 and 1"),
        ('phones = "090"\n', 1, "list of strings"),
        ('[own_words]\nside_dael = ["abc"]\n', 2, "did you mean 'side_deal'"),
        ('[own_words]\nside_deal = [\n "abc",\n "x",\n]\n', 4, "two characters"),
        ("[[rules]]\nkind = 'side_deal'\npattern = 'abc'\n", 1, "needs an id"),
        ("[[rules]]\nid = 'a'\nkind = 'side_deal'\n", 1, "needs a pattern"),
        ("[[rules]]\nid = 'a'\nkind = 'after_hours'\npattern = 'abc'\n", 3, "unknown kind"),
        (
            "# one\n[[rules]]\nid = 'a'\nkind = 'side_deal'\ndirection = 'up'\npattern = 'abc'\n",
            5,
            "inbound, outbound or note",
        ),
        ("[[rules]]\nid = 'a'\nkind = 'side_deal'\nscore = 2\npattern = 'abc'\n", 4, "at most 1"),
        ("[[rules]]\nid = 'a'\nkind = 'side_deal'\npatern = 'abc'\npattern = 'abc'\n", 4, "did you mean 'pattern'"),
        (
            "[[rules]]\nid = 'a'\nkind = 'side_deal'\npattern = 'abc'\nhits = [\n 'abc',\n 'xyz',\n]\n",
            7,
            "'xyz' is not matched",
        ),
        ("[[rules]]\nid = 'a'\nkind = 'side_deal'\npattern = 'abc'\nmisses = ['xabcx']\n", 5, "is matched"),
        ("[[rules]]\nid = 'a'\nkind = 'side_deal'\npattern = 'ＬＩＮＥ'\n", 4, "by 'l'"),
        ("[[rules]]\nid = 'a'\nkind = 'side_deal'\npattern = 'a(?=b)'\n", 4, "lookahead"),
        ("[[rules]]\nid = 'a'\nkind = 'side_deal'\npattern = '(ab)\\1'\n", 4, "backreference"),
        ("[[rules]]\nid = 'a'\nkind = 'side_deal'\npattern = 'ab('\n", 4, "is invalid"),
        ("[[rules]]\nid = 'a'\nkind = 'side_deal'\npattern = 'x*'\n", 4, "empty text"),
        ("phones = [\n'1'\n", 2, "not TOML"),
        ("a = 1\nb = = 2\n", 2, "not TOML"),
    ],
)
def test_each_fault_is_reported_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    found = problems(tmp_path, text)
    assert [(problem.line, said in problem.message) for problem in found] == [(line, True)], found


def test_a_duplicate_id_is_reported_at_its_second_use(tmp_path: Path) -> None:
    rule = "[[rules]]\nid = 'a'\nkind = 'side_deal'\npattern = 'abc'\n"
    (problem,) = problems(tmp_path, rule + rule)
    assert (problem.line, "used twice" in problem.message) == (6, True)


def test_lines_of_json_faults(tmp_path: Path) -> None:
    text = '{\n "phones": ["1"],\n "threshold": 0.5,\n "rules": [\n  {"id": "a", "kind": "side_deal",'
    text += '\n   "pattern": "a(?!b)"}\n ]\n}\n'
    assert [problem.line for problem in problems(tmp_path, text, "company.json")] == [6]
    assert [problem.line for problem in problems(tmp_path, '{\n "phones": [1,]\n}', "company.json")] == [2]


def test_unreadable_and_oversized_files_are_problems(tmp_path: Path) -> None:
    assert "can't be read" in lint(tmp_path / "absent.toml")[0].message
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'names = ["ok"]\nphones = ["\xe9"]\n')
    assert lint(latin)[0] == Problem(2, "not UTF-8")
    assert "allowed" in problems(tmp_path, "#" * 1_000_001)[0].message


@pytest.mark.parametrize(
    "pattern",
    [
        "a(?=b)",
        "a(?!b)",
        "(?<=a)b",
        "(?<!a)b",
        "(a)\\1",
        "(?P<n>a)(?P=n)",
        "(?>a)",
        "(?:a{500}){900}",
        "a{900}b{900}c{900}d{900}e{900}",
        "x" * 600,
    ],
)
def test_patterns_without_linear_time_or_bounded_memory_are_rejected(pattern: str) -> None:
    assert refusal(pattern) is not None


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+c", "(.*)*x.{0,40}y", "\\\\1"])
def test_an_accepted_pattern_runs_in_linear_time(pattern: str) -> None:
    assert refusal(pattern) is None
    company = Company(rules=(CompanyRule("r", "side_deal", pattern),))
    text = "a" * 50_000 + "!"
    # A backtracking engine would exceed the test's timeout.
    assert dry_run(company, [(Direction.INBOUND, text)]) == []


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_no_pattern_raises(pattern: str) -> None:
    text = pattern + "abc"
    if refusal(pattern) is None:
        hits = dry_run(Company(rules=(CompanyRule("r", "side_deal", pattern),)), [(Direction.INBOUND, text)])
        assert all(hit.text in text for hit in hits)


def test_an_invalid_file_does_not_load(tmp_path: Path) -> None:
    path = tmp_path / "company.toml"
    path.write_text("[[rules]]\nid = 'a'\nkind = 'side_deal'\npattern = 'a(?=b)'\n", "utf-8")
    for reader in (load, lambda where: read_company(str(where))):
        with pytest.raises(CompanyFileError, match="line 4"):
            reader(path)


def test_findings_of_words_and_rules_have_their_spans(good: Path) -> None:
    company = load(good)
    text = "Is that club card YOUR OWN? 裏メニュー もあるよ"
    found = scan(text, direction=Direction.INBOUND, company=company)
    own = {finding.detector: finding for finding in found.findings if finding.detector.startswith("company.")}
    assert text[own["company.club_card"].start : own["company.club_card"].end] == "club card YOUR OWN"
    assert own["company.club_card"].kind is Kind.CONTACT_REQUEST
    assert own["company.words.side_deal"].kind is Kind.SIDE_DEAL
    assert text[own["company.words.side_deal"].start : own["company.words.side_deal"].end] == "裏メニュー"
    assert {finding.version for finding in own.values()} == {"2026-11-24"}
    assert found.attempt
    assert found.by is By.CUSTOMER
    assert "registered" in reason("company.club_card") or "own" in reason("company.club_card")


def test_direction_unless_and_word_boundaries_are_respected() -> None:
    rule = CompanyRule("r", "side_deal", "blue room", direction="inbound", unless="booked")
    company = Company(rules=(rule,), own_words={"side_deal": ("art",)})
    inbound, outbound = Direction.INBOUND, Direction.OUTBOUND
    texts = [
        (inbound, "the blue room"),
        (outbound, "the blue room"),
        (inbound, "the blue room is booked"),
        (inbound, "start"),
        (inbound, "ＡＲＴ"),
    ]
    assert [(hit.number, hit.detector, hit.text) for hit in dry_run(company, texts)] == [
        (0, "company.r", "blue room"),
        (4, "company.words.side_deal", "ＡＲＴ"),
    ]


def test_a_rule_alone_is_an_attempt_only_for_kinds_of_attempt() -> None:
    text = "zorblax please"
    quiet = scan(text, direction=Direction.OUTBOUND)
    assert not quiet.attempt
    meeting = Company(rules=(CompanyRule("r", "private_meeting", "zorblax"),))
    rude = Company(rules=(CompanyRule("r", "harassment", "zorblax"),))
    assert scan(text, direction=Direction.OUTBOUND, company=meeting).stance is Stance.OFFER
    assert scan(text, direction=Direction.INBOUND, company=meeting).stance is Stance.ASK
    found = scan(text, direction=Direction.INBOUND, company=rude)
    assert not found.attempt
    assert [finding.kind for finding in found.findings] == [Kind.HARASSMENT]


def test_a_rule_counts_in_a_thread_at_its_message() -> None:
    company = Company(rules=(CompanyRule("r", "side_deal", "zorblax"),))
    messages = [
        ThreadMessage("Your parcel is here.", Direction.OUTBOUND),
        ThreadMessage("zorblax please", Direction.INBOUND),
    ]
    assert not read_thread(messages).attempt
    verdict = read_thread(messages, company=company)
    assert (verdict.attempt, verdict.at, verdict.by) == (True, 1, By.CUSTOMER)


def command(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "crm_contact_guard.detection.company_rules", *arguments],
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_commands(good: Path, tmp_path: Path) -> None:
    assert command("lint", str(good)).returncode == 0
    bad = tmp_path / "bad.toml"
    bad.write_text("\nphonse = []\n", "utf-8")
    said = command("lint", str(bad))
    assert said.returncode == 1
    assert said.stdout == f"{bad}:2: unknown key 'phonse'; did you mean 'phones'?\n"
    assert command("dry-run", str(bad)).returncode == 1
    past = [
        {"direction": "inbound", "text": "Is that club card your own?"},
        {
            "messages": [
                {"direction": "outbound", "text": "Nothing here."},
                {"direction": "outbound", "text": "裏メニューです"},
            ]
        },
    ]
    tried = command("dry-run", str(good), given="\n".join(json.dumps(line) for line in past))
    assert tried.returncode == 0, tried.stderr
    assert [(hit["message"], hit["detector"]) for hit in map(json.loads, tried.stdout.splitlines())] == [
        (0, "company.club_card"),
        (2, "company.words.side_deal"),
    ]
    assert "company.club_card: 1 hits in 3 messages" in tried.stderr
    assert command("dry-run", str(good), given="not json\n").returncode == 2
