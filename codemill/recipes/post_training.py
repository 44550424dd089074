"""OpenCoder's instruction sets and its two stages of post-training (arXiv 2411.04905, section 4).

    codemill run post_training --corpus corpus --model MODEL --base-url http://127.0.0.1:8000/v1 --out chats

    stage 1   diverse (2.3 M rows), real users (0.7 M), filtered collections (1.0 M)      breadth
    stage 2   educational (110 K), package (110 K), evolved (111 K), multilingual (36 K)  proved code

Each set is an output of its own, with a ledger; the stages are drawn from them in the paper's proportions.
"""

from __future__ import annotations

from typing import Annotated

from codemill import Output, Outputs, Table, installed, ledger
from codemill.prompts import answers, diverse, educational, evolve, grade, multilingual, packages
from codemill.recipes._teachers import (
    RECORDED,
    BaseUrl,
    Benchmarks,
    KeyName,
    ModelName,
    Prices,
    Who,
    stronger_of,
    teacher_of,
)
from codemill.recipes.annealing import distinct
from codemill.sources import Published
from codemill.sources.chats import Chats
from codemill.specification import read
from codemill.steps import choose, ingest, instructions, libraries, stages, synthesis
from codemill.steps import student as scholar
from codemill.steps.decontaminate import clear_of
from codemill.synthetic import CHAT
from codemill.teacher.running import SANDBOX

# Rows of the paper in thousands (4.2, table 4).
STAGE_1 = {"diverse": 2300, "realuser": 700, "filtered": 1000}
STAGE_2 = {"educational": 110, "package": 110, "evolved": 111, "multilingual": 36}


def post_training(
    *,
    corpus: Annotated[str, "--out folder of the run that made the corpus of code"],
    web: Annotated[
        str | None, "--out folder of web_recall, for diverse questions [default: prose of the corpus]"
    ] = None,
    # 2.3 M questions came of the paper's web text; how many pages, it does not say.
    most_pages: Annotated[int, "pages that questions are made of; 0 = all"] = 0,
    collections: Annotated[tuple[str, ...], "files of published instructions; repeatable"] = (),
    real_users: Annotated[tuple[str, ...], "files of chats of real users; repeatable"] = (),
    tasks: Annotated[str | None, "TOML of languages, difficulties, types [default: codemill/tasks.toml]"] = None,
    teacher: Who = None,
    model: ModelName = None,
    base_url: BaseUrl = None,
    api_key_env: KeyName = "OPENAI_API_KEY",
    price: Prices = None,
    # The paper has a stronger model write answers and tests, and answer again what is poor.
    stronger: Annotated[str | None, "teacher of answers: MODEL at the same address, or as --teacher"] = None,
    stronger_price: Annotated[str | None, "its price"] = None,
    stronger_key_env: Annotated[
        str, "environment variable with its key [default: the same at the same address, none at another]"
    ] = "",
    # The teacher itself grades them, a call for each file: 1.0 misses none, and is dear for a large corpus. The paper
    # does not say how many files it graded.
    seeds: Annotated[float, "share of the corpus's files of code that are graded, a call each"] = 1.0,
    # "A scorer model" (4.1): a classifier that learns from those grades, and reads all files of code.
    student: Annotated[bool, "let a classifier that learned from the grades choose among all files of code"] = False,
    student_precision: Annotated[float, "of its choices, share that the teacher would take as well"] = 0.8,
    # 3 of 5 is what FineWeb-Edu took for its scale.
    least_value: Annotated[float, "educational value of a seed, from 0 to 5"] = 3.0,
    names: Annotated[int, "names of libraries that are asked about"] = 1000,
    packages_of: Annotated[tuple[str, ...], "libraries by import name [default: all that are installed]"] = (),
    languages: Annotated[tuple[str, ...], "of multilingual questions; repeatable"] = (
        "python",
        "javascript",
        "typescript",
        "java",
        "cpp",
        "c",
        "go",
        "rust",
        "csharp",
        "php",
        "ruby",
        "perl",
        "shell",
        "lua",
        "r",
        "haskell",
        "kotlin",
        "swift",
    ),
    # The card of stage 1: answers of the collections are often short and of uneven form.
    least_answer: Annotated[float, "score from 0 to 10 below which an answer is written again"] = 7.0,
    seed_chars: Annotated[int, "characters of a seed file that the teacher sees"] = 6000,
    tries: Annotated[int, "answers for a task, the later ones mending the earlier"] = 2,
    least_strength: Annotated[float, "share of wrong programs that tests must notice"] = 0.5,
    max_tokens: Annotated[int, "of one answer"] = 2048,
    decontaminate: Benchmarks = (),
    seed: Annotated[int, "of samples and draws"] = 0,
    runner: Annotated[str, "what runs programs: a module"] = SANDBOX,
    library_runner: Annotated[str, "what runs programs with libraries: a module"] = "codemill.installed",
) -> Outputs:
    """Instruction sets from a corpus, and the two stages made of them."""
    who = teacher_of(teacher, base_url, model, api_key_env, price, max_tokens=max_tokens)
    better = stronger_of(who, stronger, stronger_key_env, stronger_price, max_tokens=max_tokens)
    documents = ingest.published(source=Published(corpus, "corpus"))
    specification = read(tasks)
    sets: dict[str, Table] = {}

    # ── stage 1: breadth ──────────────────────────────────────────────────────────────────────────────────────────
    # "An LLM's binary classification selects the code part" (4.1); what it answers poorly is answered again.
    for name, files in (("filtered", collections), ("realuser", real_users)):
        if files:
            published = ingest.documents(sources=[Chats(path, f"{name}-{i}") for i, path in enumerate(files)])
            scored = answers.score(answers.about(instructions.read(published), teacher=who), teacher=who)
            answered = answers.again(scored, below=least_answer, teacher=better)
            sets[name] = kept(answered, name, 0.0, runner, decontaminate, unrun=True)

    # Seed sentences → a question at temperature 1.0 → an answer with tests by the stronger teacher → explained.
    pages = choose.kinds(documents, of=("text",))
    if web is not None:
        pages = ingest.published(source=Published(web, "corpus"))
    pages = choose.draw(pages, most=most_pages, seed=seed)
    questions = diverse.ask(
        diverse.clean(pages, chars=seed_chars, teacher=who), specification=specification, teacher=who
    )
    solved = diverse.solve(questions, specification=specification, tries=tries, teacher=better, runner=runner)
    sets["diverse"] = kept(solved, "diverse", least_strength, runner, decontaminate, unrun=True)

    # ── stage 2: proved code ──────────────────────────────────────────────────────────────────────────────────────
    code = choose.kinds(documents, of=("code",))
    values = grade.value(choose.share(code, of=seeds, seed=seed), chars=seed_chars, teacher=who)
    learned: dict[str, Table | Output] = {}
    if student:
        graded, learned["student"] = scholar.choose(
            code, values, least=least_value, precision=student_precision, seed=seed
        )
    else:
        graded = choose.at_least(values, column="educational_value", least=least_value)
    taught = educational.write(graded, tries=tries, seed_chars=seed_chars, teacher=better, runner=runner)
    sets["educational"] = kept(taught, "educational", least_strength, runner, decontaminate)
    others = multilingual.write(
        graded, languages=languages, tries=tries, seed_chars=seed_chars, teacher=better, runner=runner
    )
    sets["multilingual"] = kept(others, "multilingual", least_strength, runner, decontaminate)

    # In depth and in breadth, on instructions that were proved.
    evolved = evolve.write(sets["educational"], tries=tries, teacher=better, runner=runner)
    sets["evolved"] = kept(evolved, "evolved", least_strength, runner, decontaminate)

    # Outdated calls come from models that learned from old code: the installed versions speak for themselves.
    known = installed.versions(packages_of)
    used = libraries.top(libraries.used(documents, libraries=known), most=names)
    asked = packages.ask(used, tries=tries, teacher=better, runner=library_runner)
    sets["package"] = kept(asked, "package", least_strength, library_runner, decontaminate)

    first = {name: sets[name] for name in STAGE_1 if name in sets}
    second = {name: sets[name] for name in STAGE_2}
    stage_1, shares_1 = stages.stage(*first.values(), names=list(first), weights=[STAGE_1[n] for n in first], seed=seed)
    stage_2, shares_2 = stages.stage(*second.values(), names=list(second), weights=list(STAGE_2.values()), seed=seed)
    made: dict[str, Table | Output] = {"stage_1": stage_1, "stage_2": stage_2, **learned}
    made |= {"stage_1_shares": shares_1, "stage_2_shares": shares_2}
    for name, rows in sets.items():
        made |= {name: Output(rows, columns=CHAT), f"{name}_ledger": ledger(rows)}
    return made


def kept(
    rows: Table, name: str, least_strength: float, runner: str, benchmarks: tuple[str, ...], *, unrun: bool = False
) -> Table:
    """A set: signed, only what passed tests that are strong enough, without copies and without tasks of benchmarks."""
    measured = synthesis.strength(synthesis.signed(rows, name=name), runner=runner)
    passed = synthesis.keep(measured, outcomes=("pass",), least_strength=least_strength, unrun=unrun)
    # Rows with an entry point of a test set, or a 10-gram of one, go (4.4).
    return clear_of(distinct(passed), benchmarks=benchmarks, columns=("messages",), language=None, names=True)


def laptop(
    *,
    corpus: Annotated[str, "--out folder of the run that made the corpus of code"],
    web: Annotated[str | None, "--out folder of web_recall [default: prose of the corpus]"] = None,
    teacher: Who = None,
    most_pages: Annotated[int, "pages that questions are made of; 0 = all"] = 24,
    seeds: Annotated[float, "share of the corpus's files of code that are graded, a call each"] = 0.003,
    names: Annotated[int, "names of libraries that are asked about"] = 8,
    packages_of: Annotated[tuple[str, ...], "libraries by import name [default: all that are installed]"] = (),
    languages: Annotated[tuple[str, ...], "of multilingual questions; repeatable"] = ("python", "javascript"),
    decontaminate: Benchmarks = (),
) -> Outputs:
    """For a teacher of some hundred million parameters on this machine: few and short seeds, no second try."""
    return post_training(
        corpus=corpus, web=web, teacher=teacher, most_pages=most_pages, seeds=seeds, names=names,
        packages_of=packages_of, languages=languages, seed_chars=1000, tries=1, max_tokens=448,
        decontaminate=decontaminate,
    )  # fmt: skip


def smoke(
    *,
    corpus: Annotated[str, "--out folder of the run that made the corpus of code"],
    collections: tuple[str, ...] = (),
    runner: str = SANDBOX,
    library_runner: str = "codemill.installed",
) -> Outputs:
    """The same shape with recorded answers for a handful of files. What it makes is an example, and no data."""
    return post_training(
        corpus=corpus, collections=collections, teacher=RECORDED, names=4, packages_of=("pyarrow", "numpy"),
        languages=("javascript", "python"), least_strength=0.0, runner=runner, library_runner=library_runner,
    )  # fmt: skip
