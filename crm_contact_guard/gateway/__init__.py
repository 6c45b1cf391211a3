"""The entry points for messages: ``send`` for messages from employees, ``receive`` for messages from customers.

Both functions run synchronously until the record is committed. They then queue the remaining work (delivery, inspection
and notices) by task name; the tasks are in ``tasks/``. ``note`` records what was said on the phone or in person.
"""

from crm_contact_guard.gateway.inbound import Received, receive
from crm_contact_guard.gateway.notes import note
from crm_contact_guard.gateway.outbound import Sent, send
from crm_contact_guard.supervision.preview import Preview, preview

__all__ = ["Preview", "Received", "Sent", "note", "preview", "receive", "send"]
