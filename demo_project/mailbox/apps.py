"""The demo's mail: a separate mail system, and pages to read and answer mail as anybody."""

from django.apps import AppConfig


class MailboxConfig(AppConfig):
    name = "demo_project.mailbox"
