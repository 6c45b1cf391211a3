"""What is added to the block that contact_guard_init proposes: read as text, and put behind it."""
# ruff: noqa: F821

CONTACT_GUARD |= {
    "API_AUTHENTICATION_CLASSES": ["tenxyte.authentication.JWTAuthentication"],
}
TENXYTE_EXEMPT_PATHS = ["/login/", "/guard/"]
