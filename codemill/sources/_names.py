r"""Names of files: as text that Arrow can hold, and whether a member's name may be trusted.

A name on Linux is any bytes without NUL and "/". Arrow strings are UTF-8, so bytes that are not become `\xHH`.
To keep this reversible, and two names apart, a backslash that happens to stand before something that looks like
such an escape is doubled, with the run of backslashes before it. All other names stay as they are, those
with other backslashes too (systemd has many, e.g. `dev-disk-by\x2dlabel.swap`).
"""

from __future__ import annotations

import re

_LOOKS_ESCAPED = re.compile(r"(\\+)(?=x[89a-f][0-9a-f]|[\udc80-\udcff])")
_ESCAPED = re.compile(rb"(\\+)x([89a-f][0-9a-f])")
_DRIVE = re.compile(r"[A-Za-z]:")
_LONE = re.compile(r"[\udc80-\udcff]")


def escape(name: bytes) -> str:
    r"""The name as text, unique and reversible.

    >>> escape(b"caf\xe9.py"), escape("café.py".encode()), escape(b"caf\\xe9.py")
    ('caf\\xe9.py', 'café.py', 'caf\\\\xe9.py')
    """
    text = name.decode("utf-8", "surrogateescape")
    if name.isascii() and "\\" not in text:
        return text
    doubled = _LOOKS_ESCAPED.sub(lambda m: m[1] * 2, text)
    return _LONE.sub(lambda m: f"\\x{ord(m[0]) - 0xDC00:02x}", doubled)


def escape_text(name: str) -> str:
    """A name that holds undecodable bytes as surrogates, as `escape` writes it."""
    return escape(name.encode("utf-8", "surrogateescape"))


def unescape(text: str) -> bytes:
    r"""The name that `escape` was given.

    >>> unescape("caf\\xe9.py"), unescape("caf\\\\xe9.py")
    (b'caf\xe9.py', b'caf\\xe9.py')
    """

    def back(match: re.Match[bytes]) -> bytes:
        slashes, escaped = divmod(len(match[1]), 2)
        last = bytes([int(match[2], 16)]) if escaped else b"x" + match[2]
        return b"\\" * slashes + last

    return _ESCAPED.sub(back, text.encode())


def member_path(name: str) -> str | None:
    """The path of an archive's member in plain form, or None if it is absolute or leaves the archive.

    >>> member_path("./a//b.py"), member_path("a/../../etc/passwd"), member_path("C:\\\\x"), member_path("/etc/passwd")
    ('a/b.py', None, None, None)
    """
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or "\0" in name:
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or ".." in name.split("\\"):
        return None
    return "/".join(parts)
