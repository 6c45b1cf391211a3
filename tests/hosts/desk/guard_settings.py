"""What the host adds to its settings for us: read as text, and put at their end."""
# ruff: noqa: F821

INSTALLED_APPS += ("crm_contact_guard",)
CONTACT_GUARD = {
    "COMPANY_NAME": "Kaede Support",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "SIGNING_KEY": "contact-guard.key",
    "CUSTOMER": {
        "MODEL": "helpdesk.Ticket",
        "KEY": "submitter_email",
        "NAME": "submitter_email",
        "EMAIL": "submitter_email",
        "OWNER": "assigned_to",
        "TEAM": "queue",
    },
    "EMPLOYEE": {"ROLE": "duty", "ROLES": {"agent": "employee", "lead": "supervisor"}},
    "TEAM": {"MODEL": "helpdesk.Queue", "NAME": "title", "SUPERVISOR": "default_owner"},
    "CHANNELS": {
        "email": {
            "BACKEND": "crm_contact_guard.channels.email.EmailChannel",
            "OPTIONS": {
                "FROM": "Kaede Support <support@kaede.example>",
                "REPLY_TO": "reply@kaede.example",
                "HOST": "127.0.0.1",
                "PORT": int(os.environ["HOST_MAIL_PORT"]),
            },
        }
    },
    "TASKS": "inline",
}
