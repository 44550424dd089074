"""Hosts of URLs, and the domains that somebody registered."""

from __future__ import annotations

import functools
import importlib
import ipaddress
import re
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from codemill.errors import EnvironmentProblem

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def host_of(url: str) -> str | None:
    """The host of an http or https URL, in lower case, an international one as its ASCII form. Null: there is none.

    >>> host_of("https://Docs.Python.org:443/3/"), host_of("http://bücher.example/a"), host_of("not a url")
    ('docs.python.org', 'xn--bcher-kva.example', None)
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    host = host.rstrip(".")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return None
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return None
    return host


@functools.lru_cache(maxsize=1 << 16)
def domain_of(host: str) -> str:
    """The part of a host that somebody registered: one label and its public suffix. An address is its own domain.

    The list of suffixes is that of the installed `publicsuffixlist`, with its private part: user.github.io is a domain.

    Raises: EnvironmentProblem if `publicsuffixlist` is not installed.

    >>> domain_of("docs.python.org"), domain_of("news.bbc.co.uk"), domain_of("a.b.github.io"), domain_of("10.0.0.1")
    ('python.org', 'bbc.co.uk', 'b.github.io', '10.0.0.1')
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _suffixes().privatesuffix(host) or host
    return host


def version() -> str:
    """Of the list of public suffixes. Raises: EnvironmentProblem if it is not installed."""
    _suffixes()
    return metadata.version("publicsuffixlist")


@functools.lru_cache(maxsize=1)
def _suffixes() -> Any:
    try:
        library = importlib.import_module("publicsuffixlist")
    except ImportError as error:
        raise EnvironmentProblem("publicsuffixlist is not installed", remedy='pip install "codemill[web]"') from error
    return library.PublicSuffixList()
