"""What each tool finds in texts: `python -m bench.redact_peers NAME texts.json found.json`, one process each.

Only emails, IPs and phones are asked of the tools that know no other; of a tool that gives no places, its own pattern
is run to get them.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

Found = Iterator[tuple[int, int, str]]
Finder = Callable[[str, str | None], Found]


def codemill() -> Finder:
    from codemill import cleaning

    def find(text: str, language: str | None) -> Found:
        raw = text.encode()
        for row in cleaning.findings(text, language=language):
            start = len(raw[: row["start"]].decode())
            yield start, start + len(raw[row["start"] : row["end"]].decode()), row["kind"]

    return find


def detect_secrets() -> Finder:
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    def find(text: str, language: str | None) -> Found:
        at = 0
        with default_settings():
            for line in text.split("\n"):
                for secret in scan_line(line):
                    place = line.find(secret.secret_value or "\0")
                    if place >= 0:
                        yield at + place, at + place + len(secret.secret_value or ""), "password"
                at += len(line) + 1

    return find


def presidio() -> Finder:
    from presidio_analyzer import predefined_recognizers as known

    kinds = {"EMAIL_ADDRESS": "email", "IP_ADDRESS": "ip", "PHONE_NUMBER": "phone"}
    tools = [known.EmailRecognizer(), known.IpRecognizer(), known.PhoneRecognizer()]

    def find(text: str, language: str | None) -> Found:
        for tool in tools:
            wanted = [entity for entity in tool.supported_entities if entity in kinds]
            for found in tool.analyze(text, wanted, None):
                yield found.start, found.end, kinds[found.entity_type]

    return find


def datatrove() -> Finder:
    from datatrove.pipeline.formatters.pii import PIIFormatter

    tool = PIIFormatter()

    def find(text: str, language: str | None) -> Found:
        for replacer, kind in ((tool.emails_replacer, "email"), (tool.ip_replacer, "ip")):
            for match in replacer.regex.finditer(text):
                if replacer.validator is None or replacer.validator(match[0]):
                    yield match.start(), match.end(), kind

    return find


def dolma() -> Finder:
    from dolma.taggers.pii import PiiRegexV1

    tool = PiiRegexV1()
    kinds = {tool.EMAIL: "email", tool.IP: "ip", tool.PHONE: "phone"}

    def find(text: str, language: str | None) -> Found:
        found = tool._extract_pii_regex(text)
        for span in tool._postprocess(text=text, pii_spans=found, window=tool.window) if tool.postprocess else found:
            yield span.start, span.end, kinds[span.type]

    return find


# name → (finder, module, what it looks for)
TOOLS: dict[str, tuple[Callable[[], Finder], str, tuple[str, ...]]] = {
    "codemill": (codemill, "codemill", ("name", "email", "ip", "phone", "user", "password", "key")),
    "detect-secrets": (detect_secrets, "detect_secrets", ("password", "key")),
    "presidio": (presidio, "presidio_analyzer", ("email", "ip", "phone")),
    "datatrove": (datatrove, "datatrove", ("email", "ip")),
    "dolma": (dolma, "dolma", ("email", "ip", "phone")),
}


def main(name: str, texts: str, out: str) -> None:
    make, module, _ = TOOLS[name]
    try:
        importlib.import_module(module)
        find = make()
    except ImportError as error:
        Path(out).write_text(json.dumps({"missing": str(error)}))
        return
    logging.disable(logging.WARNING)
    given = json.loads(Path(texts).read_text())
    started = time.process_time()
    found = [[list(f) for f in find(text, language)] for text, language in given]
    seconds = time.process_time() - started
    Path(out).write_text(json.dumps({"found": found, "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
