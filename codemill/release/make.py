"""Puts a release together: what the runs published, what they were made of, and the commands that make them again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from codemill.errors import BuildError, EnvironmentProblem, InputError, RecipeError
from codemill.release import cards, checks, environment, portable
from codemill.release.cards import MODEL
from codemill.release.chain import Link, chain, read_by
from codemill.release.inputs import Input, inputs_of, plain
from codemill.report import words
from codemill.run import named

CARDS = ("README.md", "report.html")
SCORES = "results.json"  # of an evaluation
ENVIRONMENT = "environment.txt"
EVERY = "files.txt"
"""The hash of every other file of a release."""

MOST_CARRIED = 16 << 20  # bytes of a file or folder that a parameter names, which is then part of the release


@dataclass(frozen=True)
class Release:
    """What was put together."""

    folder: Path
    runs: tuple[str, ...]  # in the order in which they are made again
    evaluations: tuple[str, ...]
    bytes: int
    unknown: tuple[str, ...]  # what a stranger cannot fetch: sentences


def release(outs: Sequence[str], folder: str | Path, *, wheel: str | Path | None = None) -> Release:
    """Makes a release of finished runs, and of all runs that they read, in an empty or new folder.

    Folders of `codemill evaluate` may be among `outs`: they are copied as they are. If a run has a model, a small
    program that asks it lies beside. `wheel`, codemill itself as `make dist` builds it, comes with them.

    A run is copied as it was published, with its report and its cards, without its working files; the card of a model
    gets the scores of the evaluations that come with it. Manifests name no place of this machine. Paid answers of a
    teacher (OUT.calls) come too: without them nobody makes the same rows.

    Raises: InputError as `chain` does, and if the wheel is none of this version; EnvironmentProblem if the folder has
    something in it; BuildError if what was put together is not whole, names a place of this machine, or has a secret in
    it.
    """
    scores = [Path(os.path.realpath(out)) for out in outs if (Path(out) / SCORES).is_file()]
    links, to = chain([str(out) for out in outs if not (Path(out) / SCORES).is_file()]), Path(folder)
    for name in (place.name for place in scores):
        if [place.name for place in scores].count(name) > 1 or name in {link.name for link in links}:
            raise RecipeError(f"two folders have the name {name!r}", remedy="rename one of them")
    if to.exists() and any(to.iterdir()):
        raise EnvironmentProblem("the folder for the release is not empty", where=to, remedy="choose a new --out")
    carried = _wheel(wheel)
    to.mkdir(parents=True, exist_ok=True)
    if carried:
        shutil.copyfile(carried, to / carried.name)
    for link in links:
        _copy(link, links, to / link.name)
    for place in scores:
        shutil.copytree(place, to / place.name, ignore=shutil.ignore_patterns(".*"))
    cards.origins(to, links)
    cards.score(to, links, [place.name for place in scores])
    model = _asking(links, to)
    inputs, unknown = _inputs(links, to)
    (to / "rebuild.sh").write_text(_script(links, inputs), "utf-8")
    (to / "rebuild.sh").chmod(0o755)
    (to / "checksums.txt").write_text(_checksums(links), "utf-8")
    (to / ENVIRONMENT).write_text("".join(f"{line}\n" for line in environment.packages()), "utf-8")
    facts = {
        "codemill": version("codemill"),
        "runs": [_facts(link, links) for link in links],
        "evaluations": [place.name for place in scores],
        "inputs": plain(inputs),
        "unknown": unknown,
    }
    (to / "release.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    (to / "README.md").write_text(_card(links, inputs, unknown, scores, model, carried), "utf-8")
    data = [to / link.name / output for link in links for output in link.manifest["files"]]
    data += [to / place.name / "samples" for place in scores]  # what models wrote
    if wrong := [*checks.missing(to, [link.name for link in links]), *checks.told(to, links, data)]:
        remedy = "mend it and make the release again in another folder"
        raise BuildError(
            "; ".join(wrong[:5]) + (f"; {len(wrong) - 5} more" * (len(wrong) > 5)), where=to, remedy=remedy
        )
    (to / EVERY).write_text("".join(f"{digest}  {name}\n" for name, digest in checks.every(to)), "utf-8")
    size = sum(file.stat().st_size for file in to.rglob("*") if file.is_file())
    names = tuple(link.name for link in links), tuple(place.name for place in scores)
    return Release(to, *names, size, tuple(unknown))


def _files(count: int) -> str:
    return f"the {count:,} files" if count != 1 else "the file"


def _wheel(given: str | Path | None) -> Path | None:
    """The wheel that comes with the release."""
    if given is None:
        return None
    place = Path(given)
    if not place.is_file() or not place.name.startswith(f"codemill-{version('codemill')}-") or place.suffix != ".whl":
        remedy = f"`make dist` builds codemill-{version('codemill')}-….whl"
        raise InputError("this is no wheel of the codemill that runs", where=place, remedy=remedy)
    return place


def _asking(links: Sequence[Link], to: Path) -> str | None:
    """Writes ask.py for the last model of the chain, and returns where that is. None: there is no model."""
    models = [link.name for link in links if MODEL in link.manifest["files"] and _is_trained(link, MODEL)]
    if not models:
        return None
    (to / "ask.py").write_text(_ASK.format(model=f"{models[-1]}/{MODEL}"), "utf-8")
    return f"{models[-1]}/{MODEL}"


_ASK = '''"""Asks the model of this release; needs transformers and torch.

    python ask.py "Write a function that adds two numbers."
"""

import sys
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer

folder = Path(__file__).parent / "{model}"
tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
text = " ".join(sys.argv[1:]) or "Write a function that adds two numbers."
if tokenizer.chat_template:
    turns = [{{"role": "user", "content": text}}]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
asked = tokenizer(text, return_tensors="pt", add_special_tokens=False, return_token_type_ids=False)
made = model.generate(**asked, max_new_tokens=200)
answer = tokenizer.decode(made[0, asked["input_ids"].shape[1] :], skip_special_tokens=True)
print(answer if answer.strip() else "(The model wrote nothing but blanks.)")
'''


def _copy(link: Link, links: Sequence[Link], to: Path) -> None:
    to.mkdir()
    for output, files in link.manifest["files"].items():
        (to / output).mkdir()
        for name in files:  # below the output: a model has folders of checkpoints
            target = to / output / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(link.out / output / name, target)
    for name in CARDS:
        if (link.out / name).is_file():
            shutil.copyfile(link.out / name, to / name)
    (to / "manifest.json").write_text(json.dumps(portable.manifest_of(link, links), indent=1) + "\n", "utf-8")
    if _calls(link).is_dir():
        shutil.copytree(_calls(link), to.with_name(to.name + ".calls"), ignore=shutil.ignore_patterns("lock", "*.lock"))
    recipe = Path(link.recipe.partition(":")[0])
    if recipe.suffix == ".py":
        shutil.copyfile(recipe, to / recipe.name)


def _calls(link: Link) -> Path:
    """Where the paid answers of a run lie, if it has any."""
    return link.out.with_name(link.out.name + ".calls")


def _inputs(links: Sequence[Link], to: Path) -> tuple[list[Input], list[str]]:
    """What went in, and a list of requirements for each run whose inputs are all packages."""
    every: list[Input] = []
    unknown: list[str] = []
    (to / "inputs").mkdir()
    for link in links:
        found, lost = inputs_of(link)
        every += found
        unknown += lost
        requirements = [one.requirement for one in found]
        if found and None not in requirements:
            (to / "inputs" / f"{link.name}.txt").write_text("\n".join(map(str, requirements)) + "\n", "utf-8")
        elif found:
            unknown.append(f"{link.name}: put its input into rebuilt/inputs/{link.name}, see release.json")
        if len(link.manifest["inputs"]) > 1:
            unknown.append(f"{link.name}: it had several inputs, and rebuild.sh names one folder")
        if "shards" in link.manifest["files"]:
            unknown.append(
                f"{link.name}: shards were made by --format and --shard-size, which rebuild.sh does not have"
            )
        for name, text in _outside(link, links):
            place = named(link.out, text)
            if sum(file.stat().st_size for file in (place, *place.rglob("*")) if file.is_file()) > MOST_CARRIED:
                unknown.append(f"{link.name}: {name} named {place.name}, which is too large to be here")
            elif place.is_dir():
                shutil.copytree(place, to / "inputs" / portable.carried(link, text), dirs_exist_ok=True)
            else:
                shutil.copyfile(place, to / "inputs" / portable.carried(link, text))
    return every, unknown


def _outside(link: Link, links: Sequence[Link]) -> Iterator[tuple[str, str]]:
    """The parameters of a run that name a file or folder which is of no run of the chain: labels, rules, benchmarks."""
    for name, value in link.manifest["recipe"].get("parameters", {}).items():
        for text in value if isinstance(value, list | tuple) else [value]:
            if isinstance(text, str) and text and portable.is_outside(text, link, links):
                yield name, text


def _script(links: Sequence[Link], inputs: Sequence[Input]) -> str:
    """rebuild.sh."""
    head = _HEAD.format(version=version("codemill"), every=EVERY)
    return "\n".join([head, *(_again(link, links, inputs) for link in links), _TAIL])


_HEAD = """#!/bin/sh
# Checks the files of this release, makes its runs again below rebuilt/, and compares the result with checksums.txt.
#
#   sh rebuild.sh             data; a run with a model is copied, since a trained model depends on the machine
#   TRAIN=1 sh rebuild.sh     models as well, which needs torch; they are not compared
#
# Needs codemill {version} with the packages of environment.txt, and pip with a registry. A run that cannot be made
# again here is copied too, and named at the end.
set -eu
cd "$(dirname "$0")"
grep -v '  rebuild.sh$' {every} | sha256sum --check --quiet || {{
    echo "These files are not those of the release: fetch them again." >&2
    exit 1
}}
mkdir -p rebuilt
cd rebuilt
copied=''
copy() {{ # of a run, and why
    echo "$1: copied as it was published, for $2" >&2
    rm -rf "$1" && cp -r "../$1" "$1"
    copied="$copied $1"
}}"""

_TAIL = """
[ -z "$copied" ] || echo "copied, not made again:$copied"
sha256sum --check --quiet ../checksums.txt || {
    echo "Not the bytes that were published. Are the packages those of environment.txt? Other versions of pyarrow" >&2
    echo "store the same rows in other bytes." >&2
    exit 1
}
echo "the same bytes"
"""


def _again(link: Link, links: Sequence[Link], inputs: Sequence[Input]) -> str:
    """The part of rebuild.sh that makes one run again."""
    lines = [f"\n# {link.name}"]
    if _calls(link).is_dir():
        lines.append(f"cp -rn ../{link.name}.calls .")
    mine = [one for one in inputs if one.run == link.name]
    command = portable.command(link, links)
    if link.manifest["inputs"]:
        folder = f"inputs/{link.name}"
        if mine and all(one.requirement for one in mine):
            download = "python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes"
            fetch = f"{download} -r ../{folder}.txt -d {folder}.part && mv {folder}.part {folder}"
            lines.append(f"[ -d {folder} ] || {{ {fetch}; }}")
        command = (
            f"if [ -e {folder} ]; then {command}; else copy {link.name} 'its input is not in rebuilt/{folder}'; fi"
        )
    elif any(_is_trained(link, output) for output in link.manifest["files"]):
        command = f"if [ -n \"${{TRAIN:-}}\" ]; then {command}; else copy {link.name} 'it is a trained model'; fi"
    elif _calls(link).is_dir():
        why = "its command failed, see above; programs that it runs depend on packages and compilers"
        command += f" || copy {link.name} '{why}'"
    return "\n".join([*lines, command])


def _checksums(links: Sequence[Link]) -> str:
    """Of every published file that comes out the same on any machine."""
    lines = []
    for link in links:
        for output, files in link.manifest["files"].items():
            if not _is_trained(link, output):
                lines += [f"{entry['sha256']}  {link.name}/{output}/{file}" for file, entry in files.items()]
    return "\n".join(lines) + "\n"


def _is_trained(link: Link, output: str) -> bool:
    table = link.manifest["outputs"].get(output, {}).get("table")
    return table is not None and str(link.manifest["steps"][table]["name"]).startswith("train.")


def _facts(link: Link, links: Sequence[Link]) -> dict[str, object]:
    made = {name: link.manifest[name] for name in ("fingerprint", "ingested", "kept", "dropped")}
    recipe = portable.moved(dict(link.manifest["recipe"]), link, links)
    return {"name": link.name, "recipe": recipe, **made, "codemill": link.manifest["codemill"]}


def _card(
    links: Sequence[Link],
    inputs: Sequence[Input],
    unknown: Sequence[str],
    scores: Sequence[Path],
    model: str | None,
    wheel: Path | None,
) -> str:
    rows = [
        f"| [{link.name}]({link.name}/) | `{link.recipe}` | {', '.join(f'`{o}`' for o in link.manifest['files'])} |"
        f" {', '.join(read_by(link, links))} |"
        f" {words.size(sum(e['bytes'] for files in link.manifest['files'].values() for e in files.values()))} |"
        for link in links
    ]
    lost = "".join(f"- {sentence}\n" for sentence in unknown)
    trained = [link for link in links if any(_is_trained(link, output) for output in link.manifest["files"])]
    extras = "[web,train]" if trained else "[web]"
    install = f"'./{wheel.name}{extras}'" if wheel else f"'codemill{extras}=={version('codemill')}'"
    more = [
        f"`sha256sum --check --quiet {EVERY}` checks the files that you have: it says nothing if all are whole.",
        f"`pip install -c {ENVIRONMENT} {install}` installs codemill with the packages that wrote these files: other"
        " versions of pyarrow store the same rows in other bytes.",
        "`sh rebuild.sh` runs the commands again below `rebuilt/` and compares the data with `checksums.txt`. Manifests"
        " and reports differ in times. A fingerprint is of inputs by name, size and time: a rebuilt run has another.",
    ]
    if trained:
        more.append(
            f"Runs with a model ({', '.join(link.name for link in trained)}) are copied, and so is what they hold"
            " besides: `TRAIN=1 sh rebuild.sh` trains them again, which needs torch, and compares their data."
        )
    if model:
        more.append(f"`python ask.py QUESTION` asks the model [{model}]({model}/); it needs transformers and torch.")
    if scores:
        more.append(f"Evaluations: {', '.join(f'[{place.name}]({place.name}/)' for place in scores)}.")
    return f"""# Release

Made by codemill {version("codemill")}. Each folder is what one command made (a run), with a manifest of its steps,
and a report and a card where it has them. A ledger has a row for every file that was found,
and says what became of it. Licences are those of the documents: see the cards.

| run | recipe | holds | reads | size |
|---|---|---|---|--:|
{chr(10).join(rows)}

`release.json` has the commands with their parameters, and {_files(len(inputs))} that went in, with size and hash.
{"".join(f"{chr(10)}{line}{chr(10)}" for line in more)}\
{f"{chr(10)}What it cannot fetch:{chr(10)}{chr(10)}{lost}" if lost else ""}"""
