"""Files whose extension several languages share and of which no heuristic knows more: each can be told by its clues."""

from __future__ import annotations

import struct
import tomllib
from importlib.resources import files

import pytest

import codemill as cm
from codemill import languages

FILES = [
    ("Close.trigger", "trigger Close on Case (after update) {\n  for (Case c : Trigger.new) { }\n}\n", "apex"),
    ("Job.cls", "global with sharing class Job {\n  public static void run() { update cases; }\n}\n", "apex"),
    ("run.trigger", "#!/bin/sh\nset -e\necho done\n", "shell"),
    ("web.sls", "nginx:\n  pkg.installed: []\n  service.running:\n    - require:\n      - pkg: nginx\n", "saltstack"),
    ("tree.sls", "(library (tree)\n  (export leaf)\n  (import (rnrs)))\n", "scheme"),
    ("dev.mod", "fs/dev/dev.ko\nfs/dev/core.o fs/dev/io.o\n\n", "linux kernel module"),
    ("diet.mod", "set FOOD;\nparam cost {FOOD} > 0;\nminimize total: sum {f in FOOD} cost[f];\n", "ampl"),
    ("list.inc", "struct node *next(struct node *at)\n{\n\treturn at->next;\n}\n", "cpp"),
    ("bios.inc", "; interrupts\nVIDEO equ 10h\n    mov ax, 4c00h\n    int 21h\n", "assembly"),
    ("rcon.inc", "stock bool:IsOn(id)\n{\n\tnew count = 0;\n}\nforward OnRcon(id);\n", "pawn"),
    ("base.inc", 'inherit autotools\nSRC_URI = "git://a/b"\ndo_install() {\n    install -d ${D}\n}\n', "bitbake"),
    ("sum.m", "sum(a,b) ; adds\n set c=a+b\n quit c\n", "m"),
    ("Tap.m", "int taps = 0;\nvoid tap(void) {\n  [view setNeedsDisplay];\n}\n", "objective-c"),
    ("wan.rsc", "/interface vlan\nadd name=v10 vlan-id=10\n:local x 3\n", "routeros script"),
    ("Eval.rsc", "module Eval\nimport IO;\npublic int f(int a) = a;\n", "rascal"),
    ("cat.t", "Read a file:\n\n  $ cat a\n  a\n  $ rm a\n", None),
    ("cat.t", "use strict;\nuse Test::More;\nok(1);\n", "perl"),
    ("list.v", "module list\n\npub struct Node {\nmut:\n\tnext int\n}\n", "v"),
    ("add.v", "`timescale 1ns/1ps\nassign a = b;\n", "verilog"),
    ("a.ftl", "<p>${name}</p>\n", "freemarker"),
    ("page.ftl", "<p>\nwords\n</p>\n<p>\n</p>\n", "freemarker"),
    ("tune.cue", 'FILE "a.wav" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n', "cue sheet"),
    ("port.cue", "package net\n\n#Port: int & <65536\n", "cue"),
    ("greet.dsc", "greet:\n  type: task\n  script:\n  - narrate hello\n", "denizenscript"),
    ("pkg.dsc", "Format: 3.0 (quilt)\nSource: a\nArchitecture: any\n", "debian package control file"),
    ("orbit.ks", "lock throttle to 1.\nwait until altitude > 1000.\n", "kerboscript"),
    ("node.ks", "lang en_US\nrootpw x\n%packages\n%end\n", "kickstart"),
    ("Tank.mo", "model Tank\n  parameter Real h = 1;\nequation\n  der(h) = 0;\nend Tank;\n", "modelica"),
    ("Count.mo", "actor Count {\n  stable var n : Nat = 0;\n  public func up() : async Nat { n };\n}\n", "motoko"),
    ("room.moo", "@verb #3:look this none this\n@program #3:look\nplayer:tell(this.name);\n.\n", "moocode"),
    ("ea.mqh", "int start()\n{\n  OrderSend(Symbol(), 0, 1, Ask, 3, 0, 0);\n}\n", "mql4"),
    ("ea.mqh", "#include <Trade/Trade.mqh>\nclass CBot : public CObject { CTrade trade; };\n", "mql5"),
    ("hud.nas", 'var hud = { new : func { setprop("/hud", 1); } };\n', "nasal"),
    ("boot.nas", "section .text\nglobal _start\n_start:\n    mov eax, 1\n", "assembly"),
    ("a.pbt", 'name: "a"\nsize: 3\nlayer { kind: DENSE }\n', "protocol buffer text format"),
    ("sum.reds", "Red/System [Title: \"sum\"]\nadd: func [a [integer!] return: [integer!]][a]\n", "red"),
    ("ui.reds", "module Ui\n@wrapMethod(PlayerPuppet)\nprotected cb func OnInit() -> Bool { let a: Int32 = 1; }\n", "redscript"),  # noqa: E501
    ("glow.shader", 'Shader "Own/Glow" {\n  Properties { }\n  SubShader { Pass { } }\n}\n', "shaderlab"),
    ("vec.t", "local C = terralib.includec('a.h')\nterra add(a : int) : int\n  return a\nend\n", "terra"),
    ("tags.scm", "; names\n(call_expression function: (identifier) @function)\n", "tree-sitter query"),
    ("board.brd", "PCBNEW-BOARD Version 1\n$GENERAL\n$EndGENERAL\n", "kicad legacy layout"),
    ("amp.sch", "EESchema Schematic File Version 4\nLIBS:a\n$Comp\n$EndComp\n", "kicad schematic"),
    ("gear.for", " 1.0 2.5 3.0\n 2.0 3.5 4.0\n 1.1 2.2 3.3\n", "formatted"),
    ("main.gs", "uses Gtk\ninit\n\tprint \"hi\"\n", "genie"),
    ("mail.jq", "let $a := 1\nfor $b in $a\nreturn { \"b\": $b }\n", "jsoniq"),
    ("quest.ash", "script \"quest\"\nforeach it in $items[]\n  print(my_name());\n", "kolmafia ash"),
    ("Run.sc", "object Run extends App {\n  val n: Int = 1\n  println(n)\n}\n", "scala"),
    ("synth.sc", "(\nSynthDef(\\a, { Out.ar(0, SinOsc.ar(440)) }).add;\n)\n", "supercollider"),
    ("www.vhost", "server {\n  listen 80;\n  server_name a;\n}\n", "nginx"),
    ("www.vhost", "<VirtualHost *:80>\n  ServerName a\n</VirtualHost>\n", "apacheconf"),
    ("lb.cfg", "frontend web\n    bind *:80\n    default_backend app\n", "haproxy"),
    ("flow.fx", "typedef int x;\nsource Listen => Serve;\nServe = Read -> Write;\n", "flux"),
    ("main.workflow", 'workflow "a" {\n  on = "push"\n}\n', "hcl"),
    ("ore.prc", "create or replace procedure p is\n  a varchar2(3);\nbegin\n  null;\nend;\n/\n", "plsql"),
    ("lib.pro", "TEMPLATE = subdirs\nSUBDIRS = src tests\n", "qmake"),
    ("app.pro", "QT += core gui\nTARGET = a\nSOURCES += main.cpp\n", "qmake"),
    ("plain.pro", "[project]\nname = a\n", "ini"),
    ("rules.pro", "-dontwarn a.b.**\n", "proguard"),
    ("proguard-rules.pro", "# Add project specific ProGuard rules here.\n", "proguard"),
    ("tuple.rs", "/// Docs\nstruct A<T>(T);\n", "rust"),
    ("alias.rs", "type A = Vec<u8>;\n", "rust"),
    ("tags.rs", 'static TAG: &str = "<b></b>";\n', "rust"),
    ("menu.rs", '\ufeff\n <resources a="b"/>\n', "xml"),
    ("shop.csl", "Sales | where Price > 1 | project Name\n", "kusto"),
    ("style.csl", '<style class="in-text"/>\n', "xml"),
    ("form.inc", "#include <form.h>\nstatic int f(void) { return 1; }\n", "cpp"),
    ("form.inc", '<form action="a">\n<input/>\n</form>\n', "html"),
    ("size.inc", "      INTEGER NMAX\n      PARAMETER (NMAX=100)\n      COMMON /BLK/ NMAX\n", None),
    ("kind.inc", "  integer, parameter :: dp = kind(1.0d0)\n", None),
    ("call.inc", "PARAMETER (A)\nPARAMETER (B)\n", "cpp"),
    ("stack.ml", "structure Stack =\nstruct\n  datatype 'a stack = Empty\n  fun push x = Push x\nend\n", "standard ml"),
    ("fact.ml", "fun fact 0 = 1\n  | fact n = n * fact (n - 1)\n\nval x = fact 5\n", "standard ml"),
    ("fold.ml", "(* the function of a case of *)\nlet sum =\n  List.fold_left\n    (fun a b -> a + b) 0\n", "ocaml"),
    ("main.bas", 'Sub Main()\n  Dim x As Integer\n  MsgBox "x"\nEnd Sub\n', "vba"),
    ("main.bas", "Sub Process_Globals\n  Dim x As Int\nEnd Sub\n", "b4x"),
    ("main.bas", "declare sub f cdecl (byval a as any ptr)\n", "freebasic"),
    ("make.re", "let f = x => x + 1;\n[@react.component]\nlet make = () => <div/>;\n", "reason"),
    ("scan.re", "int scan(char *at)\n{\n/*!re2c\n  digit = [0-9];\n  digit+ => found { return 1; }\n*/\n}\n", "cpp"),
    ("pair.sc", "import a.b\n\ncase class Pair(a: Int)\n", "scala"),
    ("Ring.sc", "Ring : Object {\n  var <size;\n  add { arg x; ^x }\n}\n", "supercollider"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "content", "language"), FILES, ids=[f"{p} {n}" for p, _, n in FILES])
def test_clues_tell_languages_apart(path: str, content: str, language: str | None) -> None:
    assert cm.detect(path, content).language == language


@pytest.mark.parametrize("path", ["a.bicep", "a.ftl", "a.m", "a.v"])
def test_a_stub_has_a_language(path: str) -> None:
    """What is too short to look like anything is not unknown."""
    assert cm.detect(path, "x\n").language is not None


def test_a_file_that_looks_like_none_of_its_languages_has_none() -> None:
    words = "Some words about the weather\nthat go on for a while\nand on\nand on\n" * 3
    assert cm.detect("a.vhost", words).language is None
    assert cm.detect("a.vhost", "Some words\n").language is not None


def test_every_language_can_win() -> None:
    """A language whose every extension others have too is known to a heuristic, has clues, or was trained."""
    folder = files("codemill.languages")
    clues = tomllib.loads(folder.joinpath("clues.toml").read_text("utf-8"))
    groups = tomllib.loads(folder.joinpath("heuristics.toml").read_text("utf-8"))["disambiguation"]
    alone = {rule["languages"][0] for group in groups for rule in group["rules"] if len(rule["languages"]) == 1}
    model, trained = folder.joinpath("classifier.bin").read_bytes(), set()
    at = 12
    for _ in range(struct.unpack_from("<I", model, 8)[0]):
        length = struct.unpack_from("<I", model, at)[0]
        trained.add(model[at + 4 : at + 4 + length].decode())
        at += 8 + length
    owners: dict[str, int] = {}
    for language in languages.all():
        for extension in {e.lower() for e in language.extensions}:
            owners[extension] = owners.get(extension, 0) + 1
    shared = {
        language.name
        for language in languages.all()
        if language.extensions and all(owners[e.lower()] > 1 for e in language.extensions)
    }
    assert sorted(shared - alone - trained - clues.keys() - NEVER) == []


NEVER: set[str] = set()
"""Languages that share every extension and are told by file names, interpreters or modelines alone."""


def test_a_pattern_that_does_not_compile_is_named() -> None:
    from codemill import _core

    names = [{"name": "a", "doc_type": "code", "extensions": [], "filenames": [], "interpreters": [], "aliases": [], "popular": False}]  # noqa: E501  # fmt: skip
    rest = {"disambiguations": [], "unknown": [], "vendored": [], "generated": [], "generic": [], "classifier": b""}
    for clue in ({"sure": ["("]}, {"never": ["("]}):
        with pytest.raises(ValueError, match="unclosed group"):
            _core.LanguageTable(languages=names, clues=[{"language": "a", "sure": [], "likely": [], "never": [], **clue}], **rest)  # noqa: E501  # fmt: skip
    with pytest.raises(ValueError, match="unknown language"):
        _core.LanguageTable(languages=names, clues=[{"language": "b", "sure": [], "likely": [], "never": []}], **rest)
