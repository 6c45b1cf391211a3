"""Where the reader may live: which addresses may be connected to. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

#: RFC 1918 and RFC 4193. Not what ``is_private`` adds, such as link-local addresses, below which clouds keep secrets.
_PRIVATE: Final = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


def refusal(address: IPv4Address | IPv6Address, *, secure: bool, external: bool) -> str:
    """Why this address may not be connected to; empty when it may.

    ``secure``: the connection is TLS. ``external``: the company allows an endpoint that is not its own.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback or any(address in network for network in _PRIVATE if network.version == address.version):
        return ""
    if not address.is_global or address.is_multicast:
        return "leads to an address that is neither private nor public"
    if not external:
        return "leads to a public address, and ALLOW_EXTERNAL is not set"
    return "" if secure else "leads to a public address without https"
