"""Writes confirmed contacts to the file named in ``COMPANY_RULES``."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.calibration.contacts import Contact
from crm_contact_guard.detection.company_rules.file import CompanyFileError, read_company
from crm_contact_guard.detection.company_rules.lines import find_lines
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event

#: The event that records who confirmed which contacts. The contacts themselves are in the erasable part of the event.
CONFIRMED = "company.contacts_confirmed"


class NotWritten(Exception):
    """The file was not changed. The message says why."""


def confirm(contacts: Sequence[Contact], *, path: Path, operator: str, tenant: str = "") -> dict[str, list[str]]:
    """Add the contacts to the file and record who confirmed them. Return the contacts that were new, by list.

    ``operator`` is the login of the person who runs the command. This person owns the installation's files, so no user
    from the directory has to confirm. The rest of the file stays unchanged. If NotWritten is raised, nothing is
    recorded either.
    """
    before = _read(path)
    added = _new(contacts, before)
    if not added:
        return {}
    text = _with(before, added, operator)
    part = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        read_company(str(part))
        with database.atomic():
            record_event(
                kind=CONFIRMED,
                subject_type="company",
                subject_id=sha256(text.encode()).hexdigest(),
                actor_type=Event.ActorType.SYSTEM,
                actor=operator,
                tenant=tenant,
                data={"added": {name: len(values) for name, values in added.items()}},
                details={"file": str(path), "added": added},
            )
            # Replace the file within the transaction, so that nothing is recorded if that fails.
            part.replace(path)
    except (OSError, CompanyFileError) as error:
        part.unlink(missing_ok=True)
        raise NotWritten(str(error)) from error
    return added


def _read(path: Path) -> str:
    """Return the content of the file, or an empty string if it does not exist yet."""
    try:
        text = path.read_text("utf-8") if path.exists() else ""
        if path.suffix == ".json" or text.lstrip().startswith("{"):
            raise NotWritten(_("%(file)s is JSON; name a TOML file.") % {"file": path})
        if text:
            read_company(str(path))
    except (OSError, UnicodeDecodeError, CompanyFileError) as error:
        raise NotWritten(str(error)) from error
    return text


def _new(contacts: Sequence[Contact], before: str) -> dict[str, list[str]]:
    current = tomllib.loads(before)
    added: dict[str, list[str]] = {}
    for contact in contacts:
        if contact.value not in current.get(contact.list, ()):
            added.setdefault(contact.list, []).append(contact.value)
    return added


def _with(before: str, added: Mapping[str, Sequence[str]], actor: str) -> str:
    """Return the text of the file with the contacts added at the top, because TOML tables must come after the lists."""
    current = tomllib.loads(before)
    lines = before.splitlines()
    top = [f"# {', '.join(added)}: confirmed {timezone.now():%Y-%m-%d} by {actor}"]
    for name, values in added.items():
        _remove_list(lines, name)
        items = ",\n".join(
            f"    {json.dumps(value, ensure_ascii=False)}" for value in (*current.get(name, ()), *values)
        )
        top.append(f"{name} = [\n{items},\n]")
    return "\n".join([*top, *lines]) + "\n"


def _remove_list(lines: list[str], name: str) -> None:
    """Remove the assignment of a list, which may span several lines."""
    start = find_lines("\n".join(lines), json=False).get((name,))
    if start is None:
        return
    for end in range(start, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[start - 1 : end]))
        except tomllib.TOMLDecodeError:
            continue
        del lines[start - 1 : end]
        return
