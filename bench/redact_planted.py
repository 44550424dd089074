"""Personal data and secrets that nobody has, planted into real files; and what only looks like them.

Nothing here is shared with the detector: values are put together at random from lists and alphabets of this file, and
stand in lines as people write them. Keys are joined from parts, so that none stands in this file.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.redact_planted_lines import LINES, NEGATIVES

KINDS = ("name", "email", "ip", "phone", "user", "password", "key")
ALNUM = string.ascii_letters + string.digits


def split(text: str) -> list[str]:
    return text.split()


FIRST = split("""Alma Bruno Carmen Dmitri Elif Farid Greta Hiro Ingrid Jamal Katarzyna Lucía Mateo Nadia Olu Priya
Quentin Rosa Søren Tomáš Ursula Viktor Wanda Xenia Yusuf Zofia Anne-Marie Brian Chloe Daniel Emily Frank George Hannah
Kevin""")
LAST = split("""Achterberg Bielawski Castellanos Dragomir Eriksson Fitzwilliam Grünwald Hashimoto Ivanchuk Jankowski
Kowalczyk Lindqvist McAllister Nakagawa O'Donnell Petrosyan Quiroga Rasmussen Schneider Tanaka Ueda Venkataraman
Whitfield Yamada Zielinski Carter Okafor Smith Brown Novák Dupont""")
HOSTS = split("mail kontor postfach nordlicht bluepine quarksoft tinyforge hexaware copperfield meadowlane")
TOPS = split("com org net de io co.uk fr edu dev com.br nl jp ca se")


@dataclass
class Document:
    """A text, and where in it (in characters) something of a kind stands."""

    name: str
    text: str
    labels: list[tuple[int, int, str]] = field(default_factory=list)
    language: str | None = None


def chars(rng: random.Random, alphabet: str, n: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(n))


def name(rng: random.Random) -> str:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    middle = rng.choice(["", "", "", "", f" {rng.choice(string.ascii_uppercase)}.", f" {rng.choice(FIRST)}", " van"])
    return f"{first}{middle} {last}"


def account(rng: random.Random) -> str:
    first, last = (plain(rng.choice(names)) for names in (FIRST, LAST))
    return rng.choice([first + last[:1], first[:1] + last, f"{first}.{last}", last + str(rng.randrange(10, 99))])


def plain(word: str) -> str:
    return "".join(c for c in word.lower() if c in string.ascii_lowercase)


def email(rng: random.Random) -> str:
    user = account(rng)
    local = rng.choice([user, user, user + "+dev", plain(rng.choice(FIRST)), "j.r_" + user])
    host = rng.choice([rng.choice(HOSTS), rng.choice(HOSTS), "mx." + rng.choice(HOSTS), rng.choice(HOSTS) + "-group"])
    return f"{local}@{host}.{rng.choice(TOPS)}"


def ip(rng: random.Random) -> str:
    if rng.random() < 0.2:
        return ":".join(["2a0" + str(rng.randrange(1, 9)), *(f"{rng.randrange(0x100, 0xFFFF):x}" for _ in range(7))])
    while True:
        a, b, c, d = rng.randrange(11, 223), rng.randrange(256), rng.randrange(256), rng.randrange(1, 255)
        if a not in (100, 127, 169, 172, 192, 198, 203) and not (c == 0 and d == 0) and len({a, b, c, d}) > 1:
            return f"{a}.{b}.{c}.{d}"


def phone(rng: random.Random) -> str:
    def digits(n: int) -> str:
        return chars(rng, "23467890", 1) + chars(rng, string.digits, n - 1)

    middle = f"{rng.choice('234679')}{chars(rng, '0246813579', 2)}"
    return rng.choice(
        [
            f"+1 {rng.choice('23679')}{digits(2)} {middle} {digits(4)}",
            f"+1-{rng.choice('23679')}{digits(2)}-{middle}-{digits(4)}",
            f"({rng.choice('23679')}{digits(2)}) {middle}-{digits(4)}",
            f"{rng.choice('23679')}{digits(2)}-{middle}-{digits(4)}",
            f"+44 20 {digits(4)} {digits(4)}",
            f"+49 30 {digits(4)} {digits(3)}",
            f"+33 {rng.randrange(1, 7)} {digits(2)} {digits(2)} {digits(2)} {digits(2)}",
            f"+91 {digits(5)} {digits(5)}",
            f"+55 (11) 9{digits(4)}-{digits(4)}",
        ]
    )


def password(rng: random.Random) -> str:
    word = rng.choice(["tiger", "Sommer", "dragon", "Kaffee", "purple", "Monday", "rocket"])
    return rng.choice(
        [
            f"{word}{rng.randrange(10, 9999)}",
            f"{word}{rng.choice('!@#')}{rng.randrange(10, 99)}",
            word.replace("o", "0").replace("e", "3") + chars(rng, "!@#%", 1) + chars(rng, string.digits, 2),
            chars(rng, ALNUM, rng.randrange(9, 20)) + str(rng.randrange(10)),
            chars(rng, ALNUM + "!@#^*_", 14) + "7k",
        ]
    )


def token(rng: random.Random) -> str:
    return rng.choice(
        [
            chars(rng, "0123456789abcdef", 32),
            chars(rng, "0123456789abcdef", 40),
            chars(rng, ALNUM, 24) + "4Q9",
            chars(rng, ALNUM + "-_", 40) + "a7X",
            chars(rng, ALNUM + "+/", 40) + "8z=",
        ]
    )


def basic(rng: random.Random) -> str:
    """The account and password of HTTP's basic authentication."""
    return base64.b64encode(f"{account(rng)}:{chars(rng, ALNUM, 9)}".encode()).decode()


def hex10(rng: random.Random) -> str:
    """A short secret; of letters and digits both."""
    return "".join(rng.choice("abcdef") + rng.choice(string.digits) for _ in range(5))


def key(rng: random.Random) -> str:
    alnum: Callable[[int], str] = lambda n: chars(rng, ALNUM, n)  # noqa: E731
    hexed: Callable[[int], str] = lambda n: chars(rng, "0123456789abcdef", n)  # noqa: E731
    return rng.choice(
        [
            "AK" + "IA" + chars(rng, string.ascii_uppercase + "234567", 16),
            "gh" + "p_" + alnum(36),
            "git" + "hub_pat_" + alnum(22) + "_" + alnum(59),
            "glp" + "at-" + alnum(20),
            "xo" + f"xb-{rng.randrange(10**11, 10**12)}-{rng.randrange(10**11, 10**12)}-" + alnum(24),
            "AI" + "za" + alnum(35),
            "sk" + "_live_" + alnum(24),
            "sk" + "-proj-" + alnum(74) + "T3Blbk" + "FJ" + alnum(74),
            "sk" + "-ant-api03-" + alnum(93) + "AA",
            "np" + "m_" + alnum(36),
            "pyp" + "i-AgEIcHlwaS5vcmc" + alnum(150),
            "S" + f"G.{alnum(22)}.{alnum(43)}",
            "h" + "f_" + chars(rng, string.ascii_letters, 34),
            "do" + "p_v1_" + hexed(64),
            "sh" + "pat_" + hexed(32),
            "ey" + f"J{alnum(33)}.ey" + f"J{alnum(70)}.{alnum(43)}",
            "GOC" + "SPX-" + alnum(28),
        ]
    )


MAKE = {
    "name": ("name", name),
    "account": (None, account),
    "email": ("email", email),
    "ip": ("ip", ip),
    "ip4": ("ip", lambda rng: next(v for v in iter(lambda: ip(rng), "") if "." in v)),
    "ip6": ("ip", lambda rng: next(v for v in iter(lambda: ip(rng), "") if ":" in v)),
    "phone": ("phone", phone),
    "password": ("password", password),
    "password2": ("password", lambda rng: chars(rng, ALNUM, 11) + "5x"),
    "urlpass": ("password", lambda rng: chars(rng, ALNUM, 11) + "5x"),
    "token": ("password", token),
    "token2": ("password", lambda rng: chars(rng, ALNUM, 38) + "77"),
    "basic": ("password", basic),
    "hex10": ("password", hex10),
    "key": ("key", key),
}


def line(rng: random.Random, template: str, comment: str, kind: str) -> tuple[str, list[tuple[int, int, str]]]:
    """A line with its values filled in, and where they are."""
    text, labels, rest = "", [], template.replace("%", comment)
    while "{" in rest:
        head, _, tail = rest.partition("{")
        text += head
        if tail.startswith("{"):
            text, rest = text + "{", tail[1:]
            continue
        slot, _, rest = tail.partition("}")
        of, make = MAKE[slot]
        value = make(rng)  # type: ignore[operator]
        labels.append((len(text), len(text) + len(value), of or ("name" if kind == "name" else "user")))
        text += value
    return (text + rest).replace("}}", "}"), labels


def negative(rng: random.Random, template: str, comment: str) -> str:
    fill = {
        "hex64": chars(rng, "0123456789abcdef", 64),
        "hex40": chars(rng, "0123456789abcdef", 40),
        "b64": chars(rng, ALNUM + "+/", 80),
        "uuid": "-".join(chars(rng, "0123456789abcdef", n) for n in (8, 4, 4, 4, 12)),
        "hex10": hex10(rng),
        "n": str(rng.randrange(2, 30)),
    }
    return template.replace("%", comment).format(**fill)


def plant(hosts: list[tuple[str, str]], *, each: int, seed: int = 0) -> list[Document]:
    """`each` lines of every kind, and as many of each negative as of one kind, spread over `hosts` (name, text)."""
    rng = random.Random(seed)
    todo: list[tuple[str, str]] = [(kind, rng.choice(LINES[kind])) for kind in KINDS for _ in range(each)]
    todo += [("", rng.choice(NEGATIVES)) for _ in range(2 * each)]
    rng.shuffle(todo)
    documents = []
    for number, (host, text) in enumerate(hosts):
        mine = todo[number :: len(hosts)]
        comment = "#" if host.endswith((".py", ".toml", ".sh", ".yml")) else "//"
        lines = text.split("\n")
        places = sorted(rng.randrange(len(lines) + 1) for _ in mine)
        out, labels, length, at = [], [], 0, 0
        for place, (kind, template) in zip(places, mine, strict=True):
            for old in lines[at:place]:
                out.append(old)
                length += len(old) + 1
            at = place
            new, found = line(rng, template, comment, kind) if kind else (negative(rng, template, comment), [])
            labels += [(length + a, length + b, of) for a, b, of in found]
            out.append(new)
            length += len(new) + 1
        out += lines[at:]
        documents.append(Document(host, "\n".join(out), labels))
    return documents
