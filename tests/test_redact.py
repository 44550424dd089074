"""Redaction: what goes, what stays, what still parses; the step, the verb, and `explain` afterwards."""

from __future__ import annotations

import ast
import io
import json
import random
import re
import shutil
import string
import subprocess
import sys
import sysconfig
import time
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import codemill as cm
from codemill import cleaning
from codemill.document import KINDS
from codemill.errors import RecipeError
from codemill.report.terminal.show import explain_data, explain_view
from codemill.sources import Folder
from codemill.steps import clean, dedup, detect, ingest
from tests import working

ROOT = Path(__file__).resolve().parent.parent
ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "hex": "0123456789abcdef",
    "base32": string.ascii_uppercase + "234567",
    "digits": string.digits,
}
FORMATS = cleaning.formats()


def sample(entry: dict[str, object]) -> str:
    rng = random.Random(str(entry["name"]))

    def characters(match: re.Match[str]) -> str:
        return "".join(rng.choice(ALPHABETS[match[1]]) for _ in range(int(match[2])))

    parts: list[str] = entry["sample"]  # type: ignore[assignment]
    return re.sub(r"\{(\w+):(\d+)\}", characters, "".join(parts))


@pytest.mark.parametrize("entry", FORMATS, ids=[f["name"] for f in FORMATS])
def test_every_key_format(entry: dict[str, object]) -> None:
    key = sample(entry)
    text = f'call("{key}")\n'
    [found] = cleaning.findings(text)
    assert (found["rule"], found["kind"]) == (entry["name"], entry["kind"])
    assert "<key>" in cm.redact(text).content
    assert cm.redact(text).counts == {"key": 1}
    for other in (f'call("x{key}")', key[:14], key.swapcase()):
        assert all(f["rule"] != entry["name"] for f in cleaning.findings(other)), other
    assert set(entry) == {"name", "kind", "anchors", "pattern", "from", "sample"}


def test_the_table_has_no_key_in_it() -> None:
    assert len(FORMATS) >= 40
    assert len({f["name"] for f in FORMATS}) == len(FORMATS)
    text = (ROOT / "codemill" / "cleaning" / "key_formats.toml").read_text()
    assert [f for f in cleaning.findings(text) if f["kind"] == "key"] == []


def test_precision_and_recall_on_planted_values() -> None:
    """The bench's first set, small; the bench measures more of it, beside peers, and real lines labelled by hand."""
    from bench import redact as bench
    from bench.redact_peers import codemill

    hosts = bench.real_files(300_000, seed=3)
    planted, find = bench.plant(hosts, each=100, seed=1), codemill()
    found = [list(find(document.text, None)) for document in planted]
    before = [list(find(text, None)) for _, text in hosts]
    new = bench.without(found, planted, before, [text for _, text in hosts])
    scores = bench.score(planted, new, bench.KINDS, False, "")
    assert set(scores) == set(KINDS)
    for kind, score in scores.items():
        assert score["labels"] >= 100, kind
        assert score["precision"] >= 0.95, (kind, score)
        assert score["recall"] >= 0.95, (kind, score)


def test_the_page_counts_the_formats() -> None:
    assert f"[{len(FORMATS)} formats of keys]" in (ROOT / "docs" / "cleaning.md").read_text()


def test_one_text_and_many() -> None:
    one = cm.redact("# Jane Doe <jane.doe@web.de>\n")
    assert one == cm.Redaction("# <name> <<email>>\n", {"name": 1, "email": 1})
    many = cm.redact(["x = 1", None, "'93.184.216.34'"])
    assert many["content"].to_pylist() == ["x = 1", None, "'<ip>'"]
    assert many["ip"].to_pylist() == [0, None, 1]
    assert many.schema.names == ["content", *KINDS]
    assert cm.redact(pa.chunked_array([["a"], ["b"]], pa.string())).num_rows == 2
    assert cm.redact([]).num_rows == 0


def test_values_without_quotes_are_values_only_in_configuration() -> None:
    text = "DB_PASSWORD=Sommer2041!x\n"
    assert cm.redact(text, language="dotenv").content == "DB_PASSWORD=<password>\n"
    assert cm.redact(text, language="python").content == text
    assert cm.redact(text).content == "DB_PASSWORD=<password>\n"  # of no known language, as in a run
    assert cm.redact(text, path="settings.py").content == text
    from codemill import languages

    assert all(languages.get(name) for name in cleaning.BARE)


def test_one_value_becomes_one_placeholder() -> None:
    key = sample(next(f for f in FORMATS if f["name"] == "npm-token"))
    done = cm.redact(f'token = "{key}"\nuse("{key}")\npassword = "{key}"\n')
    assert done.content == 'token = "<key>"\nuse("<key>")\npassword = "<key>"\n'


PATTERN = {"name": "badge", "pattern": r"badge ([A-Z]{2}-\d{4})", "kind": "user"}


def test_a_pattern_of_ones_own() -> None:
    text = "badge AB-1234, badge XY-9"
    assert cm.redact(text, patterns=[PATTERN]).content == "badge <user>, badge XY-9"
    assert cm.redact(text, patterns=[{**PATTERN, "anchors": ["badge"]}]).content == "badge <user>, badge XY-9"


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        ([{"name": "badge", "pattern": "("}], ["badge", "unclosed group"]),
        ([{"name": "badge", "pattern": "x*"}], ["badge", "empty text"]),
        ([{"name": "badge", "pattern": r"(a)\1"}], ["badge", "backreferences"]),
        ([{"name": "badge", "pattern": "x{9999}{9999}"}], ["badge", "size limit"]),
        ([{"name": "badge", "pattern": "x", "anchors": ["ab"]}], ["badge", "anchor"]),
        ([{"name": "badge", "pattern": "x", "kind": "mail"}], ["mail", "email"]),
        ([{"name": "badge", "regex": "x"}], ["regex", "pattern"]),
        ([{"name": "badge"}], ["pattern"]),
        (["x"], ["patterns[0]"]),
        ("x", ["list"]),
    ],
)
def test_a_bad_pattern_is_an_error_of_the_recipe(patterns: object, words: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        cm.redact("", patterns=patterns)  # type: ignore[call-overload]
    assert all(word in str(caught.value) for word in words), caught.value
    with pytest.raises(RecipeError):
        clean.redact(ingest.documents(sources=()), patterns=patterns)


def real(suffix: str, roots: tuple[str, ...], most: int) -> Iterator[tuple[Path, str]]:
    """Real files in a fixed, mixed order."""
    paths = sorted(p for root in roots for p in Path(root).rglob(f"*{suffix}") if p.is_file())
    random.Random(0).shuffle(paths)
    for path in paths[:most]:
        try:
            yield path, path.read_bytes().decode()
        except UnicodeDecodeError:
            continue


def parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def test_python_that_parsed_still_parses() -> None:
    changed = 0
    for path, text in real(".py", (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")), 2500):
        cleaned = cm.redact(text, language="python").content
        if cleaned != text and parses(text):
            changed += 1
            assert parses(cleaned), path
            if "PRIVATE KEY" not in text:
                assert cleaned.count("\n") == text.count("\n"), path
            assert cm.redact(cleaned, language="python").counts == {}, f"{path}: not all in one pass"
    assert changed > 100


# Few installed JavaScript files have anything to redact in them, so this stands before each.
PLANTED_JS = """/* Copyright (c) 2015 Jane Doe <jane.doe@web.de> */
var a = {password: 'Sommer2041!', 'api_key': "a8F3kd92JsLq01Zx", "user": `jane.doe@web.de`, r: /jane.doe@web.de/};
var b = "postgres://janed:s3cretpw9@db/x\\nC:\\\\Users\\\\janed\\\\x", c = ['+49 30 9018 2073', "93.184.216.34"];
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_javascript_that_parsed_still_parses(tmp_path: Path) -> None:
    roots = ("/usr/share/nodejs", "/usr/share/javascript", sysconfig.get_path("purelib"))
    pairs = []
    for path, text in real(".js", roots, 1000):
        text = PLANTED_JS + text if not text.startswith("#!") else text
        cleaned = cm.redact(text, language="javascript").content
        if cleaned != text:
            pairs.append([str(path), text, cleaned])
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    program = """const vm = require("vm"), pairs = JSON.parse(require("fs").readFileSync(process.argv[1]));
    const script = t => new vm.Script("(function(){" + t.replace(/^#!.*/, "") + "\\n})");
    const ok = t => { try { script(t); return true } catch { return false } };
    const parsed = pairs.filter(p => ok(p[1]));
    console.log(JSON.stringify([parsed.length, parsed.filter(p => !ok(p[2])).map(p => p[0])]))"""
    done = subprocess.run(
        ["node", "-e", program, str(tmp_path / "pairs.json")], capture_output=True, text=True, check=True
    )
    parsed, broken = json.loads(done.stdout)
    assert broken == []
    if parsed < 5:
        pytest.skip(f"only {parsed} real JavaScript files that node parses")


JAVA = """import com.sun.source.util.*; import javax.tools.*; import java.nio.file.*; import java.util.*;
public class Parse { public static void main(String[] a) throws Exception {
  var compiler = ToolProvider.getSystemJavaCompiler();
  for (var path : Files.readAllLines(Path.of(a[0]))) {
    var found = new DiagnosticCollector<JavaFileObject>();
    var files = compiler.getStandardFileManager(null, null, null);
    var task = (JavacTask) compiler.getTask(null, files, found, List.of(), null, files.getJavaFileObjects(path));
    task.parse();
    System.out.println(found.getDiagnostics().stream().anyMatch(d -> d.getKind() == Diagnostic.Kind.ERROR));
  } } }"""


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK")
def test_java_that_parsed_still_parses(tmp_path: Path) -> None:
    archives = [z for z in sorted(Path("/usr/lib/jvm").glob("*/**/src.zip")) if z.is_file() and zipfile.is_zipfile(z)]
    if not archives:
        pytest.skip("no sources of a JDK")
    names: list[str] = []
    with zipfile.ZipFile(archives[0]) as archive:
        members = sorted(n for n in archive.namelist() if n.endswith(".java"))
        random.Random(0).shuffle(members)
        for number, member in enumerate(members[:2500]):
            text = archive.read(member).decode()
            cleaned = cm.redact(text, language="java").content
            if cleaned != text:
                assert cleaned.count("\n") == text.count("\n"), member
                for kind, content in (("before", text), ("after", cleaned)):
                    file = tmp_path / kind / str(number) / Path(member).name
                    file.parent.mkdir(parents=True)
                    file.write_text(content)
                    names.append(str(file))
    (tmp_path / "Parse.java").write_text(JAVA)
    (tmp_path / "names").write_text("\n".join(names))
    command = ["java", str(tmp_path / "Parse.java"), str(tmp_path / "names")]
    failed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    pairs = list(zip(failed[::2], failed[1::2], names[::2], strict=True))
    assert len(pairs) > 100
    assert [name for before, after, name in pairs if (before, after) == ("false", "true")] == []


def test_hostile_texts_take_linear_time() -> None:
    for part in ("@", "a@a.", "1.1.", "://", "-----BEGIN PRIVATE KEY-----", '\\"', "TODO(", "ghp_-", 'password="'):
        started = time.process_time()
        cm.redact(part * (8_000_000 // len(part)))
        assert time.process_time() - started < 8, part


def test_the_values_are_in_no_table_but_the_text(tmp_path: Path) -> None:
    """Two files that differ in a name only become one; counts and hash are there; explain shows what changed."""
    code = tmp_path / "code"
    for repo, name in (("a", "Jane Doe"), ("b", "Bruno Eriksson")):
        (code / repo).mkdir(parents=True)
        (code / repo / "x.py").write_text(f"# Written by {name}\nimport os\nprint(os.name)\n")
    table = detect.language(ingest.documents(sources=(Folder(str(code)),)))
    cleaned = clean.redact(dedup.exact(table))
    manifest = cm.build(dedup.exact(cleaned, hash="clean_sha256"), out=tmp_path / "out", workers=1)
    assert manifest["kept"]["rows"] == 1
    [text] = pq.read_table(tmp_path / "out" / "corpus")["content"].to_pylist()
    assert text == "# Written by <name>\nimport os\nprint(os.name)\n"
    layers = working.files(tmp_path / "out", "clean.redact")
    counts = [row for layer in layers for row in working.read(layer)["redacted"].to_pylist()]
    assert counts == [{kind: int(kind == "name") for kind in KINDS}] * 2
    for repo, name in (("a", "Jane Doe"), ("b", "Bruno Eriksson")):
        data = explain_data(tmp_path / "out", f"{repo}/x.py")
        [match] = data["matches"]
        [row] = [r for r in match["cleaned"]["rows"] if r["kind"] == "changed"]
        assert (row["kept"]["text"], row["dropped"]["text"]) == (f"# Written by {name}", "# Written by <name>")
        file = io.StringIO()
        Console(file=file, width=100).print(explain_view(data))
        assert "what cleaning changed" in file.getvalue()
        if match["ledger"]["verdict"] == "dropped":
            assert match["ledger"]["reason"] == "clean_duplicate"
            assert "once both were cleaned" in match["verdict"]
            assert match["step"]["parameters"]["hash"] == "clean_sha256"


def test_the_step_on_three_rows() -> None:
    batch = pa.record_batch(
        {
            "language": pa.array(["python", "dotenv", None]),
            "content": pa.array(["x = '93.184.216.34'", "PASSWORD=Sommer2041!x", "y"], pa.large_string()),
        }
    )
    done = clean.redact.function(batch)
    assert done["content"].to_pylist() == ["x = '<ip>'", "PASSWORD=<password>", None]
    assert [row["password"] for row in done["redacted"].to_pylist()] == [0, 1, 0]
    assert done["reason"].to_pylist() == [None] * 3
    assert len(set(done["clean_sha256"].to_pylist())) == 3


def test_a_worker_with_other_rules_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    call = clean.redact(detect.language(ingest.documents(sources=()))).call
    monkeypatch.setitem(clean.redact.__dict__, "knows", lambda: "other rules")
    with pytest.raises(RecipeError, match=r"clean.redact is not the same here as where the recipe was read"):
        call.check()


def test_the_verb(tmp_path: Path) -> None:
    file = tmp_path / "x.env"
    file.write_text("PASSWORD=Sommer2041!x\n")
    (tmp_path / "b.bin").write_bytes(b"\0\1\2")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "codemill.cli", "redact", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = run(str(file), "--language", "dotenv")
    assert (done.stdout, done.returncode) == ("PASSWORD=<password>\n", 0)
    assert "1 password" in done.stderr
    [row] = [json.loads(line) for line in run(str(file), "--json", "--language", "dotenv").stdout.splitlines()]
    assert (row["line"], row["column"], row["kind"], row["rule"]) == (1, 10, "password", "password")
    assert "Sommer" not in json.dumps(row)
    binary = run(str(tmp_path / "b.bin"))
    assert (binary.returncode, binary.stdout) == (1, "")
    assert "binary" in binary.stderr
    assert run(str(file), "--language", "klingon").returncode == 2


def test_third_labels_are_of_lines_and_files_that_the_others_do_not_have() -> None:
    """What makes the third set's figures those of unseen lines."""
    from bench import redact as bench

    rows = bench.labels_of_corpus()
    third = [row for row in rows if row["set"] == "third"]
    others = [row for row in rows if row["set"] != "third"]
    assert len(third) > 600
    for columns in (("sha256",), ("repo", "path")):
        keys = {tuple(row[c] for c in columns) for row in others}
        assert not [row for row in third if tuple(row[c] for c in columns) in keys], columns
