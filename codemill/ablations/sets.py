"""Sets that arms go on with. They are made of the base's own corpus, so that no seed is of a held-out repository."""

from __future__ import annotations

from codemill import Output, Outputs, Table
from codemill.ablations.ablation import Given, Scale
from codemill.prompts import educational
from codemill.prompts import snippets as exercises
from codemill.recipes.annealing import NO_SEEDS, WORDS, annealing, distinct
from codemill.recipes.post_training import post_training
from codemill.sources import Published
from codemill.steps import algorithmic, choose, docstrings, ingest, synthesis
from codemill.steps.decontaminate import clear_of
from codemill.synthetic import CHAT, TEXT
from codemill.teacher import Teacher, named


def algorithmic_and_synthetic(corpus: str, given: Given, scale: Scale) -> Outputs:
    """`algorithmic`, and with a teacher `snippets` and `textbooks`: the recipe `annealing`."""
    if given.teacher is not None:
        return annealing(
            corpus=corpus, teacher=given.teacher, languages=("python",), decontaminate=given.benchmarks,
            runner=given.runner, **scale.asked,
        )  # fmt: skip
    marked = seeds(corpus, given)
    return {"algorithmic": marked, "seeds": algorithmic.counted(marked, remedy=NO_SEEDS)}


def snippets(corpus: str, given: Given, scale: Scale) -> Outputs:
    """`algorithmic`, and snippets: those whose programs passed strong tests (`proved`), and all (`unfiltered`)."""
    marked = seeds(corpus, given)
    drawn = choose.draw(marked, most=scale.asked["seeds"])
    written = exercises.write(
        drawn, teacher=_teacher(given, scale), languages=("python",), tries=scale.asked["tries"],
        seed_chars=scale.asked["seed_chars"], runner=given.runner,
    )  # fmt: skip
    proved, every = _proved_and_all(synthesis.signed(written, name="snippets"), given, scale, ("content",), False)
    return {
        "algorithmic": marked,
        "seeds": algorithmic.counted(marked, remedy=NO_SEEDS),
        "proved": Output(proved, columns=TEXT),
        "unfiltered": Output(every, columns=TEXT),
    }


def chats(corpus: str, given: Given, scale: Scale) -> Outputs:
    """Educational chats about files of the corpus: those whose programs passed strong tests (`executed`), and `all`."""
    code = choose.kinds(ingest.published(source=Published(corpus, "corpus")), of=("code",))
    written = educational.write(
        choose.draw(code, most=scale.asked["seeds"]), teacher=_teacher(given, scale), tries=scale.asked["tries"],
        seed_chars=scale.asked["seed_chars"], runner=given.runner,
    )  # fmt: skip
    proved, every = _proved_and_all(synthesis.signed(written, name="educational"), given, scale, ("messages",), True)
    return {"executed": Output(proved, columns=CHAT), "all": Output(every, columns=CHAT)}


def stages(corpus: str, given: Given, scale: Scale) -> Outputs:
    """`stage_1`, breadth, and `stage_2`, quality: of `post_training`, or without a teacher the corpus's own functions,
    in the second stage those whose docstrings have four lines or more.
    """
    if given.teacher is not None:
        made = post_training(
            corpus=corpus, teacher=given.teacher, decontaminate=given.benchmarks, runner=given.runner, **scale.tuning
        )
        return {name: made[name] for name in ("stage_1", "stage_2")}
    documents = ingest.published(source=Published(corpus, "corpus"))
    return {
        f"stage_{number}": docstrings.chats(documents, least_lines=lines, most_chars=1500)
        for number, lines in ((1, 1), (2, 4))
    }


def seeds(corpus: str, given: Given) -> Table:
    """The algorithmic corpus: files of the corpus that say what they solve."""
    documents = ingest.published(source=Published(corpus, "corpus"))
    return clear_of(algorithmic.mark(documents, words=WORDS), benchmarks=given.benchmarks)


def _teacher(given: Given, scale: Scale) -> Teacher:
    assert given.teacher is not None  # else `running` has stopped
    return named(given.teacher, max_tokens=scale.asked["max_tokens"])


def _proved_and_all(
    rows: Table, given: Given, scale: Scale, columns: tuple[str, ...], names: bool
) -> tuple[Table, Table]:  # fmt: skip
    """Rows whose programs passed, and all that were written: the one decision. Neither has copies or tasks of
    benchmarks."""
    measured = synthesis.strength(rows, runner=given.runner)
    proved = synthesis.keep(measured, outcomes=("pass",), least_strength=scale.asked["least_strength"])
    language = None if names else "language"
    return tuple(  # type: ignore[return-value]
        clear_of(distinct(some), benchmarks=given.benchmarks, columns=columns, language=language, names=names)
        for some in (proved, measured)
    )
