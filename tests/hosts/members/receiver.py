from byro.common.signals import unauthenticated_urls
from django.dispatch import receiver


def is_contact_guard(request, match):
    return "crm_contact_guard" in match.app_names


@receiver(unauthenticated_urls, dispatch_uid="contact_guard")
def open_addresses(sender, **kwargs):
    return [is_contact_guard]
