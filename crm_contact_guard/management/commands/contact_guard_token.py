"""``contact_guard_token``: create, list and revoke bearer tokens for the API."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.directory.mirror import employee_for
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.hosting import host_rows
from crm_contact_guard.management.command import GuardCommand
from crm_contact_guard.tokens import issuing as tokens
from crm_contact_guard.tokens.models import SCOPES, ApiToken


class Command(GuardCommand):
    help = "Manage bearer tokens for the API. A token has its owner's permissions and is printed once, on creation."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="create a token and print it")
        create.add_argument("user", help="login name of the employee whose permissions it has")
        create.add_argument("--name", required=True, help="its purpose, such as 'data warehouse'")
        create.add_argument("--days", type=int, default=tokens.DEFAULT_LIFETIME.days, help="lifetime (default: 90)")
        create.add_argument(
            "--scope", action="append", choices=SCOPES, help="what it may be used for; repeatable (default: everything)"
        )
        create.add_argument(
            "--network", action="append", default=[], help="IP address or network from which it is accepted; repeatable"
        )
        create.add_argument("--tenant", default="", help="tenant, for an employee of several tenants")
        shown = actions.add_parser("list", help="list tokens (without their text)")
        shown.add_argument("user", nargs="?", help="login name (default: all users)")
        revoke = actions.add_parser("revoke", help="revoke a token")
        revoke.add_argument("id", type=UUID, help="the token's id, as listed")

    def handle(self, *args: Any, **options: Any) -> None:
        action = {"create": self.create, "list": self.list_tokens, "revoke": self.revoke}[options["action"]]
        action(options)

    def create(self, options: dict[str, Any]) -> None:
        try:
            with crm.tenant(options["tenant"]):
                employee = _employee(options["user"])
            new = tokens.token_create(
                employee=employee,
                name=options["name"],
                lifetime=timedelta(days=options["days"]),
                scopes=options["scope"] or SCOPES,
                networks=options["network"],
            )
        except InvalidMessage as error:
            raise CommandError(str(error)) from error
        # Only the token goes to standard output, so that scripts can capture it.
        self.stderr.write(f"Token {new.token.pk}, valid until {new.token.expires_at:%Y-%m-%d}. It is shown only now:")
        self.stdout.write(new.text)

    def list_tokens(self, options: dict[str, Any]) -> None:
        for token in tokens.token_list(_user(options["user"]) if options["user"] else None):
            used = f"{token.last_used_at:%Y-%m-%d}" if token.last_used_at else "never"
            self.stdout.write(
                f"{token.pk}  {_state(token):<8}  until {token.expires_at:%Y-%m-%d}  used {used:<10}  "
                f"{token.employee.name}: {token.name} ({token.scopes})"
            )

    def revoke(self, options: dict[str, Any]) -> None:
        try:
            token = tokens.token_revoke(options["id"])
        except ApiToken.DoesNotExist as error:
            raise CommandError(f"There is no token {options['id']}") from error
        self.stdout.write(f"Token {token.pk} ({token.name}) of {token.employee.name} is revoked")


def _state(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at <= timezone.now() else "valid"


def _user(login: str) -> Any:
    model = get_user_model()
    user = host_rows.manager(model).filter(**{model.USERNAME_FIELD: login}).first()
    if user is None:
        raise CommandError(f"There is no user {login!r}")
    return user


def _employee(login: str) -> Employee:
    employee = employee_for(_user(login))
    if employee is None:
        raise CommandError(f"{login!r} is not an active employee")
    return employee
