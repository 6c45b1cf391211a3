"""Publishes the rules in ``rules.toml`` once."""

from __future__ import annotations

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy.known_rules.models import RulesVersion
from crm_contact_guard.policy.known_rules.publishing import rules_publish
from crm_contact_guard.policy.known_rules.questions import question_answer, question_ask
from demo_project.frontdesk.models import User
from demo_project.frontdesk.seed.people import read


def load_rules() -> int:
    """Publish the rules unless there are some. Returns the number of new versions."""
    if RulesVersion.objects.exists():
        return 0
    data = read("rules.toml")
    texts = {name: data[name] for name in ("title", "title_ja", "text", "text_ja", "quiz")}
    rules_publish(published_by=_employee("compliance"), **texts)
    asked = question_ask(asked_by=_employee(data["asked_by"]), text=data["question"])
    question_answer(answered_by=_employee(data["answered_by"]), question=asked, text=data["answer"])
    return 1


def _employee(login: str) -> Employee:
    return Employee.objects.get(user=User.objects.get(username=login).pk)
