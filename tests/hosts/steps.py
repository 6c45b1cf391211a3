"""What is done the same way in every host: take the proposed settings, prove the record, take the app out again."""

from __future__ import annotations

import shlex

from tests.hosts.person import Person
from tests.hosts.project import Project

#: What a person puts in the place of the proposal's placeholders.
_OWN = {
    "Your company, as customers know it": "Kaede",
    "https://crm.example.com": "http://127.0.0.1:{port}",
    "/etc/contact-guard.key": "contact-guard.key",
}


def propose(host: Project, port: int) -> str:
    """The block that ``contact_guard_init`` prints, word for word but for the placeholders, and all it says before."""
    said = host.run("python -W ignore -m django contact_guard_init")
    block = said[said.index("CONTACT_GUARD = {") : said.index("\n}\n") + 3]
    assert len(block.splitlines()) <= 15, block
    for placeholder, own in _OWN.items():
        assert placeholder in block, block
        block = block.replace(placeholder, own.format(port=port))
    return block


def include(host: Project) -> None:
    """What comes after the settings, by the documentation: addresses, a key, tables."""
    host.write("project/urls.py", "from django.urls import include, path\n")
    host.write("project/urls.py", 'urlpatterns += [path("guard/", include("crm_contact_guard.urls"))]\n')
    host.run("python -m django contact_guard_keygen contact-guard.key")
    host.run("python -m django migrate")


def signed_in(base: str, name: str, path: str, **fields: str) -> Person:
    """Somebody whom a page sent to the host's login, and who was let in. ``fields``: where it has names of its own."""
    person = Person(base)
    person.get(path)
    assert "login" in person.address, person.address
    fields = fields or {"username": name, "password": "correct horse"}
    person.submit(next(iter(fields)), **fields)
    return person


def shell(host: Project, code: str) -> str:
    """What a piece of Python prints within the host."""
    return host.run(f"python -m django shell --no-imports --command {shlex.quote(code)}")


def prove(host: Project) -> None:
    """Seal, export, and check as an auditor does."""
    host.run("python -m django contact_guard_tick")
    host.run("python -m django contact_guard_export --out first.zip")
    host.run("python -m crm_contact_guard.proof first.zip")
    assert "All holds." in host.run("python -m django contact_guard_verify")
