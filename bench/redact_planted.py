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


# Lines as people write them; `%` is the comment sign of the language. Every value in braces is a label of its kind.
LINES = {
    "name": [
        "% @author {name}",
        "% Author: {name}",
        "% Copyright (c) 2017 {name}",
        "% Copyright 2009-2021 {name}. All rights reserved.",
        "% (c) 2015 {name}",
        "% Written by {name}, March 2012.",
        "% Signed-off-by: {name} <{email}>",
        "% Co-authored-by: {name} <{email}>",
        "% Reviewed-by: {name} <{email}>",
        "% TODO({account}): handle overflow",
        "% FIXME({account}) this leaks",
        '__author__ = "{name}"',
        "% Copyright © 2020 {name} <{email}>",
        '"author": "{name}",',
        'authors = ["{name} <{email}>"]',
        "% Maintainer: {name} <{email}>",
        "% Contributed by {name}",
        "% Authors: {name}, {name}",
        "% Copyright (C) 2003, 2004 {name} and {name}",
        "% Modified by {name} on 2001-02-03",
    ],
    "email": [
        "% send patches to {email}",
        'ADMIN = "{email}"',
        '"email": "{email}",',
        '% <a href="mailto:{email}">write</a>',
        "% {email} reported this",
        'to = ["{email}", "{email}"]',
        "% see discussion with {email}.",
        "from: '{email}'",
        "% git config user.email {email}",
        'smtp.login("{email}", os.environ["P"])',
        "%   * {email} (2011)",
    ],
    "ip": [
        'HOST = "{ip}"',
        "% ssh root@{ip}",
        'connect(("{ip}", 8080))',
        '"server": "{ip}",',
        "% allow {ip};",
        "% [2019-01-02 10:11:12] {ip} GET /index",
        'url = "tcp://{ip4}:5432/db"',
        "% A record: {ip}",
        "ping -c 1 {ip}",
        "% nameserver {ip}",
        'peers = ["{ip}", "{ip}"]',
        "% http://[{ip6}]:8443/",
    ],
    "phone": [
        "% call {phone}",
        '"phone": "{phone}",',
        "% Tel: {phone}",
        'contact = "{phone}"',
        "% {phone} (office)",
        "<td>{phone}</td>",
        "% fax {phone}",
        "% mobile: {phone}",
    ],
    "user": [
        'open("/home/{account}/data/in.csv")',
        "% /Users/{account}/src/main.c:12",
        'path = "C:\\\\Users\\\\{account}\\\\Desktop"',
        '  File "/home/{account}/venv/lib/x.py", line 3',
        "% export GOPATH=/Users/{account}/go",
        "'file:///home/{account}/notes.txt'",
        "% -I/home/{account}/include",
        'DB = "postgres://{account}:{urlpass}@db.internal/app"',
        'git = "https://{account}:{urlpass}@git.internal/x.git"',
        "% the home directory is `/home/{account}`",
        "File.dirname('/home/{account}')",
        "% svc:x:1000:1000::/home/{account}:/bin/sh",
        "% dir=c:/Users/{account}",
        'lib = "/opt/home/{account}/lib"',
        "% PATH=/usr/users/{account}/bin",
    ],
    "password": [
        'password = "{password}"',
        "password: '{password}',",
        'DB_PASSWORD = "{password}"',
        '"passwd": "{password}",',
        'conn = "Server=db;User Id=app;Password={password2};"',
        'api_key = "{token}"',
        "secretKey: '{token}',",
        'const authToken = "{token}";',
        'self.client_secret = "{token}"',
        'os.environ["API_TOKEN"] = "{token}"',
        'define("DB_PASSWORD", "{password}");',
        "<password>{password2}</password>",
        'headers = {{"Authorization": "Bearer {token2}"}}',
        'private String password = "{password}";',
        'let access_key: &str = "{token}";',
        "url = 'amqp://guest:{urlpass}@mq:5672/'",
        '% <property name="password" value="{password2}"/>',
        '% <input type="password" id="p" value="{password2}">',
        '{{"name": "DB_PASSWORD", "value": "{password2}"}},',
        "run('mysql --password={password2} db')",
        "run('openssl rsa -passin pass:{password2} -in x')",
        "% curl -u me:{password2} https://host.internal/",
        "sql = \"CREATE USER me IDENTIFIED BY '{password2}'\"",
        "% Authorization: Basic {basic}",
        "assertEqual(config.password, '{password2}')",
        "password = process.env.PASSWORD || '{password2}'",
        'secret: "{hex10}",',
        'server.setPassword( "{password2}" );',
    ],
    "key": [
        'key = "{key}"',
        "% token {key}",
        '"value": "{key}",',
        "export TOKEN={key}",
        'client("{key}")',
        "curl -H 'X-Key: {key}'",
        "url = 'https://api.internal/?k={key}&x=1'",
        "- {key}",
    ],
}
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
NEGATIVES = [
    "% sha256: {hex64}",
    'checksum = "{hex40}"',
    "% {uuid}",
    "version = '{n}.{n}.{n}.{n}'",
    "% section 3.2.1.4 of the manual",
    "% RFC 2616 section 14.9.1.2",
    "OID = '1.3.6.1.4.1.{n}.{n}'",
    "oid 2.16.840.1.101.3.4.2.1",
    'HOST = "127.0.0.1"',
    'bind = "0.0.0.0"',
    "% 10.{n}.{n}.{n} and 192.168.{n}.{n}",
    'doc = "198.51.100.{n}, 203.0.113.{n}"',
    "% 255.255.255.{n}",
    'EMAIL = "user@example.com"',
    "% someone@example.org",
    "@media screen and (max-width: 100px) {{}}",
    "@Override",
    "@pytest.mark.parametrize('x', [1])",
    "background: url(logo@2x.png)",
    '"dependencies": "lodash@4.17.{n}"',
    "git clone git@github.com:owner/repo.git",
    "npm i @types/node@18.{n}.1",
    'password = os.environ["PASSWORD"]',
    'password = getpass.getpass("Password: ")',
    '"password": "${{DB_PASSWORD}}",',
    'PASSWORD_FIELD = "password"',
    "token = next(tokens)",
    "max_tokens = {n}00",
    'token_type = "bearer"',
    "<input type='password' name='password1'>",
    'secret_name = "my-app-secret-v{n}"',
    "api_key=YOUR_API_KEY",
    'apiKey: "xxxxxxxxxxxxxxxx",',
    'secret = "change-me-please-1"',
    "% Copyright (c) 2015 Google Inc.",
    "% Copyright 2012 The Go Authors. All rights reserved.",
    "% Copyright (c) 2019 Red Hat, Inc.",
    "% Copyright (C) 1991 Free Software Foundation, Inc.",
    "% (c) Microsoft Corporation",
    "% Copyright 2020 the V8 project authors",
    "% author: the author of this file",
    "% TODO(#{n}): fix",
    "% TODO: call John",
    "% Written by hand",
    "% created by the generator",
    'home = "/home/user/data"',
    "% /home/runner/src/x",
    'href="/home/about/"',
    "% /usr/share/doc",
    "C:\\\\Users\\\\Public\\\\x",
    "https://host:8080/path@v2",
    'url = "http://{{user}}:{{password}}@host/"',
    "% 2019-01-02 03:04:05",
    "isbn 978-0-13-{n}10-3",
    "x = [{n}, {n}, -{n}, +{n}]",
    "% 555-0123",
    "sum = 100-200-3000",
    "color: #1a2b3c",
    "data:image/png;base64,{b64}",
    "std::vector<int>::iterator",
    "aa:bb:cc:dd:ee:ff",
    "% 00:1B:44:11:3A:B7",
    "y = self.W@x.T",
    "key-value store",
    "sk-learn, sk-image",
    "ghp_ is a prefix",
    'integrity="sha512-{b64}"',
    "const id = '{uuid}';",
    "eyJ is how a JWT begins",
    "test vector: {hex64}",
    '"resolved": "https://registry.npmjs.org/a/-/a-1.{n}.{n}.tgz"',
    "fe80::1 ::1 2001:db8::{n}",
    "Chrome/91.0.4472.124 Safari/537.36",
    "%% Thanks to everyone",
    "% by Foo Bar Inc.",
    "author = models.ForeignKey(User)",
    "String author = book.getAuthor();",
    "% /home/fishuser/x and /home/containerd",
    'url_path = "/home/events/"',
    'get("/home/dashboard")',
    "% https://someone@host.internal/",
    "% Message-ID: <{hex10}.{n}@mail.host.net>",
    "% 185.10.68.64/26 and 45.63.0.0/16",
    "% 149.112.112.112, 11.22.33.44",
    'PASSWORD = "@PASSWORD{n}@"',
    "auth = 'Basic realm=\"x{n}\"'",
    "private_key_id = '{hex40}'",
]


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
