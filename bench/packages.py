"""Which packages the bench corpus is made of, and which share of the giants.

Chosen so that no project is above 10 % of the text, more than a hundred languages occur, and about 30 % of the
files are exact copies: Debian's releases are two years apart and share whole files, neighbouring versions on npm
and PyPI share most of them.
"""

from __future__ import annotations

from dataclasses import dataclass

RELEASES = ("bullseye", "bookworm", "trixie")


@dataclass(frozen=True)
class Wanted:
    """A selection: source package → releases; npm and PyPI packages with their versions, of PyPI wheels or sdists."""

    debian: dict[str, tuple[str, ...]]
    npm: tuple[str, ...] = ()
    pypi: tuple[str, ...] = ()
    sdists: tuple[str, ...] = ()


_ALL = """busybox curl eigen3 ffmpeg fmtlib git glib2.0 godot groovy h2database haproxy iverilog jq keepass2
libcommons-collections4-java libspring-java libuv1 lua5.4 netty nginx ocaml perl protobuf python-django
redis scala systemd vim zsh"""
_LAST_TWO = """ant bouncycastle caddy containerd coq docker.io elixir-lang etcd fish ghdl gnome-shell gnuplot
googletest grpc guava-libraries hsqldb jackson-databind jetty9 lapack leveldb libcommons-lang3-java
lighttpd maven mercurial nix nlohmann-json3 nltk postgis prometheus rails rocksdb swi-prolog tcl8.6
thrift tomcat10 yosys"""
_FIRST_TWO = "cmake nunit tomcat9 vala"
_BOOKWORM = """agda antlr4 ats2-lang bwbasic chicken csound ecl firebird3.0 fpc gforth gnucobol4 gnustep-base
golang-1.19 graphviz kotlin kubernetes ldc libzstd meson mono nasm newlisp node-typescript nodejs octave
pandoc php8.2 polyml postgresql-15 qtdeclarative-opensource-src r-base ruby3.1 rust-ripgrep
supercollider u-boot why3 wordpress"""
_TRIXIE = """abcl asymptote clisp clojure coffeescript crystal cvc5 erlang gambas3 golang-1.24 guile-3.0 lilypond
macaulay2 nqp pandas picolisp pike8.0 pygments racket rakudo regina-rexx sbcl"""

DEBIAN_SHARE = 0.4
SHARE = {"mono": 0.05, "nodejs": 0.06, "node-typescript": 0.1, "ansible": 0.3, "homeassistant": 0.4, "next": 0.3,
         "ace-builds": 0.4}  # fmt: skip
"""The part of a package's files that is taken, chosen by the hash of their path; where a package is not named,
`DEBIAN_SHARE` for Debian's and all of it for the others."""


def each(names: str, releases: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Source packages, all out of these releases of Debian."""
    return dict.fromkeys(names.split(), releases)


def versions(text: str, sign: str) -> tuple[str, ...]:
    """`name version …` a line, as a client names them: `name@version`, `name==version`."""
    rows = map(str.split, text.splitlines())
    return tuple(f"{name}{sign}{version}" for name, *versions in rows for version in versions)


FULL = Wanted(
    debian=each(_ALL, RELEASES)
    | each(_LAST_TWO, RELEASES[1:])
    | each(_FIRST_TWO, RELEASES[:2])
    | each(_BOOKWORM, ("bookworm",))
    | each(_TRIXIE, ("trixie",))
    | each("numpy", ("bullseye",))
    | each("twisted", ("bullseye", "trixie")),
    npm=versions(
        """@aws-sdk/client-ec2 3.537.0
@mui/material 5.15.13 5.15.14
@types/node 20.11.28 20.11.29 20.11.30
ace-builds 1.32.7 1.32.8
antd 5.15.2 5.15.3
bootstrap 5.3.2 5.3.3
bulma 0.9.3 0.9.4
core-js 3.36.0 3.36.1
date-fns 3.5.0 3.6.0
echarts 5.4.3 5.5.0
eslint 8.56.0 8.57.0
foundation-sites 6.8.1
highlight.js 11.8.0 11.9.0
lodash 4.17.20 4.17.21
mathjs 12.4.0 12.4.1
monaco-editor 0.46.0 0.47.0
next 14.1.3 14.1.4
prismjs 1.28.0 1.29.0
rxjs 7.8.0 7.8.1
svelte 4.2.11 4.2.12
three 0.161.0 0.162.0 0.163.0
typescript 5.4.2 5.4.3
vue 3.4.20 3.4.21
webpack 5.90.3 5.91.0""",
        "@",
    ),
    pypi=versions(
        """ansible 9.2.0 9.3.0
azure-mgmt-network 25.3.0
bokeh 3.3.3 3.3.4
django 4.2.9 4.2.10 4.2.11
faker 24.0.0 24.1.0
homeassistant 2024.3.0 2024.3.1 2024.3.3
kubernetes 28.1.0
networkx 3.2 3.2.1
plotly 5.18.0 5.19.0 5.20.0
sphinx 7.2.5 7.2.6
sympy 1.12 1.12.1
transformers 4.38.0 4.38.1 4.38.2
twilio 9.0.0 9.0.1
twisted 23.10.0
wagtail 6.0 6.0.1""",
        "==",
    ),
)

SMALL = Wanted(
    debian=each("lua5.4 jq fmtlib redis libuv1", RELEASES),
    npm=("lodash@4.17.20", "lodash@4.17.21", "rxjs@7.8.0", "rxjs@7.8.1"),
    pypi=("networkx==3.2", "networkx==3.2.1"),
)
"""About 60 MB, for a first look and for smoke tests."""
