"""The addresses of the public internet, according to IANA's registries of special-purpose addresses.

`ipaddress.is_global` depends on the Python release: older releases lack blocks that were registered later. These tables
are complete, and reject unknown addresses. A block that the registries mark as deprecated or as not globally reachable
is not public. Of IPv6, only the block of allocated global unicast addresses is public.

Sources:
https://www.iana.org/assignments/iana-ipv4-special-registry
https://www.iana.org/assignments/iana-ipv6-special-registry
https://www.iana.org/assignments/ipv6-address-space
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

_NOT_PUBLIC_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private use
            "100.64.0.0/10",  # shared address space, with the metadata service of some clouds
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # not registered: the host of a virtual machine on Azure
            "169.254.0.0/16",  # link local, with the metadata service of most clouds
            "172.16.0.0/12",  # private use
            "192.0.0.0/24",  # IETF protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relay anycast, deprecated
            "192.168.0.0/16",  # private use
            "198.18.0.0/15",  # benchmarking
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and limited broadcast
        ),
    )
)

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""The block of global unicast addresses. Every address outside it is special or unallocated: loopback, IPv4-compatible,
SIIT, local NAT64, discard, unique local, link local, site local, segment routing, multicast."""

_NOT_PUBLIC_6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # IETF protocol assignments: Teredo, benchmarking, ORCHID
            "2001:db8::/32",  # documentation
            "3fff::/20",  # documentation
        ),
    )
)

_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_6TO4: Final = IPv6Network("2002::/16")
# The two values of the universal/local bit (RFC 5214).
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address, and an IPv4 address that it embeds, belong to the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    number = int(address)
    if address in _MAPPED or address in _NAT64:
        return is_public(IPv4Address(number & 0xFFFF_FFFF))
    if address not in _GLOBAL_UNICAST or any(address in network for network in _NOT_PUBLIC_6):
        return False
    if address in _6TO4:
        return is_public(IPv4Address(number >> 80 & 0xFFFF_FFFF))
    if number >> 32 & 0xFFFF_FFFF in _ISATAP:
        return is_public(IPv4Address(number & 0xFFFF_FFFF))
    return True
