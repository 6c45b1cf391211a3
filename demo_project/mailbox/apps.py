"""The demo's mail: a mail system of its own, and pages to read and answer as anybody."""

from django.apps import AppConfig


class MailboxConfig(AppConfig):
    name = "demo_project.mailbox"
