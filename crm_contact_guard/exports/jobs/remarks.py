"""What a bundle could not include, in words for the person who asked for it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm_contact_guard.exports import bundle


def remark_of(written: bundle.Written) -> str:
    """Say what could not be included."""
    told = []
    if written.missing:
        told.append(_("%(count)s sealed rows are missing from the database.") % {"count": written.missing})
    if written.unreadable:
        names = ", ".join(written.unreadable[:20])
        told.append(_("Files that can't be read or differ from the sealed ones: %(names)s") % {"names": names})
    for name, count in written.cut.items():
        told.append(_("%(format)s can't hold %(count)s values as they are; they are cut and marked.") % {
            "format": name, "count": count,
        })  # fmt: skip
    return " ".join(told)
