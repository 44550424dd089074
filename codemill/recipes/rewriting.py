"""Files of a corpus in clean style, then self-contained: SwallowCode (arXiv 2505.02881). Beyond OpenCoder.

    codemill run rewriting --corpus corpus --model MODEL --base-url http://127.0.0.1:8000/v1 --out rewritten

    style            parsed before it is paid for; its clean version is parsed, and a linter finds no fault in it
    self_contained   made of those; run with its tests, which must notice wrong programs

Each row has the version before it in `output`; `parent` of a self-contained one is its row in `style`, `seed_id` of
both the file.
"""

from __future__ import annotations

from typing import Annotated

from codemill import Output, Outputs, Table, ledger
from codemill.prompts import rewrite
from codemill.recipes._teachers import RECORDED, BaseUrl, Benchmarks, KeyName, ModelName, Prices, Who, teacher_of
from codemill.recipes.annealing import distinct
from codemill.sources import Published
from codemill.steps import choose, detect, ingest, synthesis
from codemill.steps.decontaminate import clear_of
from codemill.synthetic import REWRITTEN
from codemill.teacher.running import SANDBOX


def rewriting(
    *,
    corpus: Annotated[str, "--out folder of the run that made the corpus"],
    teacher: Who = None,
    model: ModelName = None,
    base_url: BaseUrl = None,
    api_key_env: KeyName = "OPENAI_API_KEY",
    price: Prices = None,
    # A call for each file, and another for each that came out clean.
    files: Annotated[int, "files that are rewritten; 0 = all"] = 0,
    # SwallowCode is Python alone: there is a linter for it here, and for no other.
    languages: Annotated[tuple[str, ...], "of files; repeatable"] = ("python",),
    # About 2,300 tokens, which are written again twice: longer files are cut short by many teachers.
    chars: Annotated[int, "characters of the longest file"] = 8000,
    tries: Annotated[int, "answers for a self-contained file, the later ones mending the earlier"] = 2,
    least_strength: Annotated[float, "share of wrong programs that tests must notice"] = 0.5,
    max_tokens: Annotated[int, "of one answer"] = 4096,
    decontaminate: Benchmarks = (),
    seed: Annotated[int, "of the sample of files"] = 0,
    runner: Annotated[str, "what runs programs: a module"] = SANDBOX,
) -> Outputs:
    """Files of a corpus in clean style, and self-contained with tests."""
    who = teacher_of(teacher, base_url, model, api_key_env, price, max_tokens=max_tokens)
    documents = ingest.published(source=Published(corpus, "corpus"))
    code = detect.keep(choose.kinds(documents, of=("code",)), kept=languages)
    sampled = choose.draw(code, most=files, seed=seed)

    cleaned = rewrite.clean(sampled, chars=chars, teacher=who, runner=runner)
    # What no linter reads was not run, and is taken as it is.
    style = _kept(cleaned, "style", 0.0, runner, decontaminate, unrun=True)
    made = rewrite.whole(style, tries=tries, chars=2 * chars, teacher=who, runner=runner)
    whole = _kept(made, "self_contained", least_strength, runner, decontaminate)
    return {
        "style": Output(style, columns=REWRITTEN),
        "style_ledger": ledger(style),
        "self_contained": Output(whole, columns=REWRITTEN),
        "self_contained_ledger": ledger(whole),
    }


def _kept(
    rows: Table, name: str, least_strength: float, runner: str, benchmarks: tuple[str, ...], *, unrun: bool = False
) -> Table:
    """A set: signed, only what passed, without copies and without tasks of benchmarks."""
    measured = synthesis.strength(synthesis.signed(rows, name=name), runner=runner)
    passed = synthesis.keep(measured, outcomes=("pass",), least_strength=least_strength, unrun=unrun)
    return clear_of(distinct(passed), benchmarks=benchmarks, columns=("content", "output"))  # both are published


def laptop(
    *,
    corpus: Annotated[str, "--out folder of the run that made the corpus"],
    teacher: Who = None,
    files: Annotated[int, "files that are rewritten; 0 = all"] = 32,
) -> Outputs:
    """For a teacher of some hundred million parameters on this machine: few and short files, no second try."""
    return rewriting(corpus=corpus, teacher=teacher, files=files, chars=1000, tries=1, max_tokens=384)


def smoke(
    *, corpus: Annotated[str, "--out folder of the run that made the corpus"], files: int = 4, runner: str = SANDBOX
) -> Outputs:
    """The same shape with recorded answers for a handful of files. What it makes is an example, and no data."""
    return rewriting(corpus=corpus, teacher=RECORDED, files=files, least_strength=0.0, runner=runner)
