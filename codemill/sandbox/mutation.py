"""Programs of other languages than Python, changed in one place: what `strength` runs. mutants.toml has the languages.

There is no parser here: the core's lexer takes comments and strings out, what is left are words, numbers and operators,
and a function is a name, brackets, and a body. What is read wrongly so gives a program that does not compile, and does
not count; a place that is missed is not tried.
"""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from codemill import _core, languages

SWAPS: Mapping[str, tuple[str, ...]] = {
    "+": ("-",), "-": ("+",), "*": ("+",), "/": ("*",), "%": ("*",), "+=": ("-=",), "-=": ("+=",), "*=": ("+=",),
    "/=": ("*=",), "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",),
    "!=": ("==",), "===": ("!==",), "!==": ("===",), "&&": ("||",), "||": ("&&",), "&": ("|",), "|": ("&",),
    "<<": (">>",), ">>": ("<<",), "true": ("false",), "false": ("true",),
}  # fmt: skip
SPACED = frozenset(("<", ">", "<<", ">>", "&", "|"))
"""Operators that are brackets or marks of types too, unless blanks are on both sides."""

_TOKEN = re.compile(
    r'"+|[A-Za-z_$\x80-\xff][\w$\x80-\xff]*|\d\w*(?:\.\d\w*)?'
    r"|>>>=|<<=|>>=|>>>|\.\.[.=]|===|!==|\*\*=|&&=|\|\|=|\?\?=|<=>|=>|->|::|\+\+|--|<=|>=|==|!=|&&|\|\||<<|>>|\+=|-="
    r"|\*\*|\*=|/=|%=|&=|\|=|\^=|:=|<-|&\^|\?\?|\?\.|\.\.|\S",
)
_WHOLE = re.compile(r"(0|[1-9][\d_]{0,30})((?![xXbBoO])[A-Za-z]\w*)?")
_OPERAND = re.compile(r"[\w$\"\x80-\xff)\]]")
_NO_NAME = frozenset(("if", "for", "while", "switch", "catch", "return", "match", "else", "do", "new", "sizeof"))
_TAIL = 60
"""Tokens between the arguments of a function and its body, at most."""


@dataclass(frozen=True)
class Entry:
    """A language of mutants.toml, which says what the fields mean."""

    keyword: str
    type: str
    leave: str
    crash: str
    values: Sequence[tuple[str, Sequence[str]]]
    words: Sequence[str] = ()
    same: Sequence[str] = ()
    without: Sequence[str] = ()

    def stubs(self, type: str) -> list[str]:
        """What a function that returns this may return instead."""
        found = next((values for pattern, values in self.values if re.fullmatch(pattern, type)), ())
        return [value.replace("{type}", type) for value in found]


@functools.cache
def table() -> Mapping[str, Entry]:
    """The languages by name."""
    said = tomllib.loads(files("codemill.sandbox").joinpath("mutants.toml").read_text("utf-8"))
    return {name: Entry(**entry) for name, entry in said.items()}


@dataclass(frozen=True)
class Token:
    """A word, a number, an operator or a string (as quotes), and where it begins."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class Function:
    """A function of a program: its name, what it returns as it is written, and the tokens between its braces."""

    name: str
    type: str
    first: int
    last: int


class Program:
    """A program as tokens. Positions are of its bytes, each as a character, so that edits hit what the lexer saw."""

    def __init__(self, text: str, language: str) -> None:
        self.entry, self.language = table()[language], language
        text = text.encode("utf-8", "replace").decode()
        self.text = text.encode().decode("latin-1")
        code, end = list[str](), 0
        for kind, start, stop in _core.lex(text, language, languages.syntaxes()):
            code += [self.text[end:start], ('"' if kind == "string" else " ") * (stop - start)]
            end = stop
        self.code = "".join([*code, self.text[end:]])
        self.tokens = [Token(found[0], found.start()) for found in _TOKEN.finditer(self.code)]
        self._pairs = _pairs(self.tokens)
        self._opens = {close: open_ for open_, close in self._pairs.items()}
        self.functions = list(self._functions())

    def edited(self, start: int, end: int, new: str) -> str:
        """The program with other text in a place."""
        view = self.text[:start] + new.encode().decode("latin-1") + self.text[end:]
        return view.encode("latin-1").decode("utf-8", "replace")

    def named(self, tests: str) -> str | None:
        """The last function that tests name; None: they name none."""
        said = {token.text for token in Program(tests, self.language).tokens}
        return next((one.name for one in reversed(self.functions) if one.name in said), None)

    def _functions(self) -> Iterator[Function]:
        for at, token in enumerate(self.tokens):
            if token.text != "(" or at not in self._pairs:
                continue
            close = self._pairs[at]
            if (body := self._body(close + 1)) is not None and (name := self._name(at)) is not None:
                yield Function(self.tokens[name].text, self._type(name, close, body), body, self._pairs[body])

    def _body(self, at: int) -> int | None:
        """The brace after a function's arguments; None: there is none, so that it was a call."""
        angles, end = 0, at + _TAIL
        while at < min(end, len(self.tokens)):
            text = self.tokens[at].text
            if text == "{":
                return at if at in self._pairs else None
            if text in (";", "}", ")", "=", ":=") or (text == "," and angles <= 0):
                return None
            angles += {"<": 1, ">": -1, ">>": -2}.get(text, 0)
            at = self._pairs[at] + 1 if text in "([" and at in self._pairs else at + 1
        return None

    def _name(self, at: int) -> int | None:
        """The name of a function whose arguments begin here; None: it has none, or this is none."""
        name = self._before_generics(at - 1)
        bound = list[str]()  # f = function (…) {…}, f = async (…) => {…}
        while name >= 0 and self.tokens[name].text in ("function", "async", "=", "*"):
            bound.append(self.tokens[name].text)
            name -= 1
        if name < 0 or (bound and "=" not in bound):
            return None
        text = self.tokens[name].text
        if not re.match(r"[A-Za-z_$\x80-\xff]", text) or text in _NO_NAME:
            return None
        before = self._opens.get(name - 1, name) - 1 if self.entry.keyword else name - 1  # before Go's receiver
        word = self.tokens[before].text if before >= 0 else ""
        return name if word != "new" and (not self.entry.keyword or word == self.entry.keyword) else None

    def _before_generics(self, at: int) -> int:
        """The token before `<…>` or `[…]` that ends here; this one if there are none."""
        close = self.tokens[at].text if at >= 0 else ""
        if close not in (">", "]"):
            return at
        depth, first = 0, at
        while first >= max(0, at - _TAIL):
            text = self.tokens[first].text
            depth += {">": 1, ">>": 2, "]": 1, "<": -1, "[": -1}.get(text, 0)
            first -= 1
            if depth <= 0:
                break
        return first

    def _type(self, name: int, close: int, body: int) -> str:
        if self.entry.type == "after":
            said = self.code[self.tokens[close].end : self.tokens[body].start]
            said = re.split(r"\bwhere\b", said)[0]
            return " ".join(re.sub(r"^\s*(?:->|:)|=>\s*$", "", said).split())
        if self.entry.type != "before":
            return ""
        first = name
        while first > max(0, name - _TAIL) and self.tokens[first - 1].text not in (";", "{", "}", ")", ":"):
            first -= 1
        said = self.code[self.tokens[first].start : self.tokens[name].start]
        said = re.sub(r"@\w+|^#.*$", " ", said, flags=re.MULTILINE)
        return " ".join(word for word in said.split() if word not in self.entry.words)

    # Both are made once for all tokens: to look at every `return` anew took 15 s for 100 kB of them.
    @functools.cached_property
    def _around(self) -> list[Function | None]:
        """The innermost function that each token is in."""
        begins, open_, found = {one.first: one for one in self.functions}, list[Function](), list[Function | None]()
        for at in range(len(self.tokens)):
            while open_ and at >= open_[-1].last:
                open_.pop()
            found.append(open_[-1] if open_ else None)
            if at in begins:
                open_.append(begins[at])
        return found

    @functools.cached_property
    def _ends(self) -> list[int]:
        """The token that ends an expression which each token would begin."""
        found = [len(self.tokens)] * (len(self.tokens) + 2)
        for at in reversed(range(len(self.tokens))):
            ends = self.tokens[at].text in (";", "}", ")", "]")
            found[at] = at if ends else found[self._pairs.get(at, at) + 1]
        return found

    def changes(self) -> Iterator[tuple[int, int, str]]:
        """Every change that can be made in one place: from, to, and the text instead."""
        for at, token in enumerate(self.tokens):
            if token.text in SWAPS and token.text not in self.entry.without and self._is_operator(at):
                yield from ((token.start, token.end, swap) for swap in SWAPS[token.text])
            elif (number := _WHOLE.fullmatch(token.text)) and not self._is_member(at):
                more = int(re.sub(r"\D", "", number[1])) + 1
                yield token.start, token.end, f"{more}{number[2] or ''}"
            elif token.text == "return":
                yield from self._returned(at)

    def _is_operator(self, at: int) -> bool:
        """Whether it stands between two operands; a word such as true does anyway."""
        token = self.tokens[at]
        if token.text.isalpha():
            return not self._is_member(at)
        if at == 0 or not _OPERAND.match(self.tokens[at - 1].text[-1]):
            return False
        before, after = self.code[token.start - 1], self.code[token.end : token.end + 1]
        if before.isspace() or after.isspace():
            return before.isspace() and after.isspace()
        return token.text not in SPACED and bool(re.match(r"[\w$\"(\x80-\xff]", after))

    def _is_member(self, at: int) -> bool:
        return at > 0 and self.tokens[at - 1].text in (".", "?.", "::", "->")

    def _returned(self, at: int) -> Iterator[tuple[int, int, str]]:
        """What a `return` gives, as the first value of the function around it."""
        around = self._around[at]
        values = self.entry.stubs(around.type) if around else []
        end = self._ends[at + 1]
        if values and end > at + 1:
            start, stop = self.tokens[at + 1].start, self.tokens[end - 1].end
            if self.text[start:stop] not in (values[0], *self.entry.same):
                yield start, stop, values[0]


def _pairs(tokens: Sequence[Token]) -> dict[int, int]:
    """Which bracket closes which."""
    open_, found = list[int](), dict[int, int]()
    for at, token in enumerate(tokens):
        if token.text in ("(", "[", "{"):
            open_.append(at)
        elif token.text in (")", "]", "}") and open_ and tokens[open_[-1]].text + token.text in ("()", "[]", "{}"):
            found[open_.pop()] = at
    return found


def stubs(program: Program, name: str) -> dict[str, str]:
    """Programs whose function returns the same always, by what it returns; and one, "", that ends where it begins.

    Of several functions of that name, such as overloads, the last.
    """
    function = next((one for one in reversed(program.functions) if one.name == name), None)
    if function is None:
        return {}
    at = program.tokens[function.first].end
    entry = program.entry
    leaving = {value: entry.leave.replace("{value}", value) for value in entry.stubs(function.type)}
    return {value: program.edited(at, at, f" {text} ") for value, text in {"": entry.crash, **leaving}.items()}


def mutants(text: str, language: str, *, most: int) -> list[tuple[str, str]]:
    """Names and texts of first-order mutants, at most so many, drawn by a hash of the program and of their place.

    >>> [name for name, _ in mutants("int f(int a) { return a < 3; }", "java", most=9)]
    ['line 1:23: a < 3 -> 0', 'line 1:25: < -> <=', 'line 1:25: < -> >=', 'line 1:27: 3 -> 4']
    """
    program = Program(text, language)
    chosen = sorted(drawn(list(program.changes()), text)[:most])
    return [(_named(program, *change), program.edited(*change)) for change in chosen]


def _named(program: Program, start: int, end: int, new: str) -> str:
    line, column = program.text.count("\n", 0, start) + 1, start - program.text.rfind("\n", 0, start)
    old = " ".join(program.text[start:end].encode("latin-1").decode("utf-8", "replace").split())[:60]
    return f"line {line}:{column}: {old} -> {new}"


def drawn(sites: Sequence[Any], text: str) -> list[Any]:
    """Places in an order that a hash of the program decides: the same on every run."""
    known = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    numbered = [(hashlib.sha256(known + number.to_bytes(8, "big")).digest(), number) for number in range(len(sites))]
    return [sites[number] for _, number in sorted(numbered)]
