"""Decides which addresses the reader's endpoint may have. No I/O."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

#: RFC 1918 and RFC 4193. ``is_private`` also includes link-local addresses, where clouds serve their metadata.
_PRIVATE: Final = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


def refusal(address: IPv4Address | IPv6Address, *, secure: bool, external: bool) -> str:
    """Return why a connection to this address isn't allowed; empty if it is.

    ``secure``: the connection uses TLS. ``external``: the company allows an endpoint outside its network.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback or any(address in network for network in _PRIVATE if network.version == address.version):
        return ""
    if not address.is_global or address.is_multicast:
        return "leads to an address that is neither private nor public"
    if not external:
        return "leads to a public address, but ALLOW_EXTERNAL is not set"
    return "" if secure else "leads to a public address, which requires https"
