"""OpenCoder's annealing data: algorithmic corpus, snippets, textbooks (arXiv 2411.04905, section 2.2).

    codemill run annealing --corpus corpus --model MODEL --base-url http://127.0.0.1:8000/v1 --out annealing

What a teacher writes is run with its tests, and only what passes is kept. The mix of these sets with the corpus itself
is `annealing_mix`.
"""

from __future__ import annotations

from typing import Annotated

from codemill import Output, Outputs, Table, ledger
from codemill.prompts import snippets, textbooks
from codemill.recipes._teachers import RECORDED, BaseUrl, Benchmarks, KeyName, ModelName, Prices, Who, teacher_of
from codemill.sources import Published
from codemill.sources.chats import Chats
from codemill.steps import algorithmic, choose, dedup, ingest, instructions, synthesis
from codemill.steps.decontaminate import clear_of
from codemill.synthetic import TEXT
from codemill.teacher.running import SANDBOX

# "leetcode", "def solution" and "class solution" are the paper's; the others say the same in other languages.
WORDS = ("leetcode", "def solution", "class solution", "function solution", "func solution", "fn solution",
         "impl solution", "object solution", "fun solution")  # fmt: skip
NO_SEEDS = (
    "add code about algorithms to the corpus: `pip download --no-deps algorithms==1.0.1` brings a package under MIT of "
    "which every fourth file is one; give it as --input to the run that makes the corpus"
)
LANGUAGES = ("python", "javascript", "typescript", "java", "cpp", "go", "rust")


def annealing(
    *,
    corpus: Annotated[str, "--out folder of the run that made the corpus"],
    teacher: Who = None,
    model: ModelName = None,
    base_url: BaseUrl = None,
    api_key_env: KeyName = "OPENAI_API_KEY",
    price: Prices = None,
    # The paper's algorithmic corpus has 12.44 B tokens; how many files became seeds it does not say.
    seeds: Annotated[int, "seed files that are asked about; 0 = all"] = 0,
    languages: Annotated[tuple[str, ...], "of snippets; repeatable"] = LANGUAGES,
    each: Annotated[int, "snippets for a seed, each in another language"] = 1,
    # About 1,700 tokens: enough of a file to have an idea in it. Less for a small model.
    seed_chars: Annotated[int, "characters of a seed file that the teacher sees"] = 6000,
    # Asking once more, with what went wrong, is cheaper than another seed.
    tries: Annotated[int, "answers for a snippet, the later ones mending the earlier"] = 2,
    # All constant functions must fail: tests that pass `return None` prove nothing.
    least_strength: Annotated[float, "share of wrong programs that tests must notice"] = 0.5,
    # The paper's textbooks are about rows of hqcode: prompt, and response with a program in a fence.
    tasks: Annotated[
        tuple[str, ...], "files of tasks with solutions that textbooks are about [default: the snippets]; repeatable"
    ] = (),
    max_tokens: Annotated[int, "of one answer"] = 2048,
    # The paper says it of its chat rows only (4.4); a benchmark's task in the annealing data spoils its score as well.
    decontaminate: Benchmarks = (),
    seed: Annotated[int, "of the sample of seeds"] = 0,
    runner: Annotated[str, "what runs programs: a module"] = SANDBOX,
) -> Outputs:
    """Algorithmic corpus, proved snippets and textbooks from a corpus of code."""
    who = teacher_of(teacher, base_url, model, api_key_env, price, max_tokens=max_tokens)
    documents = ingest.published(source=Published(corpus, "corpus"))
    algorithms = clear_of(algorithmic.mark(documents, words=WORDS), benchmarks=decontaminate)
    sampled = choose.draw(algorithms, most=seeds, seed=seed)

    written = snippets.write(
        sampled, teacher=who, languages=languages, each=each, tries=tries, seed_chars=seed_chars, runner=runner
    )
    measured = synthesis.strength(synthesis.signed(written, name="snippets"), runner=runner)
    # "Only those that pass are kept" (2.2). The ledger says of the others what they came to.
    proved = distinct(synthesis.keep(measured, outcomes=("pass",), least_strength=least_strength))
    proved = clear_of(proved, benchmarks=decontaminate)

    solved, books = proved, dict[str, Output]()
    if tasks:
        given = ingest.documents(sources=[Chats(path, f"tasks-{i}") for i, path in enumerate(tasks)])
        solved = instructions.solved(instructions.read(given))
        books = {"tasks_ledger": ledger(solved)}
    explained = synthesis.signed(textbooks.explain(solved, teacher=who), name="textbooks")
    sections = distinct(synthesis.keep(synthesis.strength(explained, runner=runner), unrun=True))
    sections = clear_of(sections, benchmarks=decontaminate, language=None)

    return {
        "algorithmic": algorithms,
        **published("snippets", proved),
        **published("textbooks", sections),
        **books,
        "seeds": algorithmic.counted(algorithms, remedy=NO_SEEDS),
    }


def laptop(
    *,
    corpus: Annotated[str, "--out folder of the run that made the corpus"],
    teacher: Who = None,
    seeds: Annotated[int, "seed files that are asked about; 0 = all"] = 64,
    languages: Annotated[tuple[str, ...], "of snippets; repeatable"] = ("python",),
    each: Annotated[int, "snippets for a seed, each in another language"] = 1,
    decontaminate: Benchmarks = (),
) -> Outputs:
    """For a teacher of some hundred million parameters on this machine: short seeds, short answers, no second try."""
    return annealing(
        corpus=corpus, teacher=teacher, seeds=seeds, languages=languages, each=each, seed_chars=1000, tries=1,
        max_tokens=448, decontaminate=decontaminate,
    )  # fmt: skip


def smoke(
    *, corpus: Annotated[str, "--out folder of the run that made the corpus"], seeds: int = 8, runner: str = SANDBOX
) -> Outputs:
    """The same shape with recorded answers for a handful of files. What it makes is an example, and no data."""
    return annealing(
        corpus=corpus,
        teacher=RECORDED,
        seeds=seeds,
        languages=("python", "javascript"),
        least_strength=0.0,
        runner=runner,
    )


def distinct(rows: Table) -> Table:
    """Without copies and near-copies: a teacher says the same to like seeds."""
    unique = dedup.exact(rows)
    # 20 bands of 13 values meet at a Jaccard similarity of 0.8: exercises that differ in their names only are copies,
    # files that do are not, so this is laxer than the corpus's own.
    return dedup.fuzzy(unique, bands=20, rows=13, ngram=5, verify="sketch", at_least=0.8)


def published(name: str, rows: Table) -> Outputs:
    """A set of texts and its ledger."""
    return {name: Output(rows, columns=TEXT), f"{name}_ledger": ledger(rows)}
