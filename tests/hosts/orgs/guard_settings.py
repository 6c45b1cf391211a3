"""What is added to the block that contact_guard_init proposes: read as text, and put behind it."""
# ruff: noqa: F821

CONTACT_GUARD |= {
    "CRM_ADAPTER": "project.guard.Adapter",
    "API_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "CHANNELS": {
        "email": {
            "BACKEND": "crm_contact_guard.channels.email.EmailChannel",
            "OPTIONS": {
                "FROM": "Kaede <sales@kaede.example>",
                "REPLY_TO": "reply@kaede.example",
                "HOST": "127.0.0.1",
                "PORT": int(os.environ["HOST_MAIL_PORT"]),
            },
        }
    },
}
MIDDLEWARE[MIDDLEWARE.index("common.middleware.rls_context.RequireOrgContext")] = "project.guard.RequireOrg"
