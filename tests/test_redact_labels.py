"""The lines labelled by hand: the sets are held apart, and no text of theirs is in the repository."""

import re
from itertools import combinations, pairwise

import pytest

from bench import other_packages, packages, redact, redact_sample

ROWS = [row for path in redact.LABELS_OF.values() for row in redact.labels_of_corpus(path)]
LATER = [row for row in ROWS if redact_sample.SETS[row["set"]].corpus in other_packages.OTHERS]
UNSEEN = ("fourth", "fifth", "sixth", "seventh")


def test_every_row_is_of_a_known_set_and_names_a_place():
    for row in ROWS:
        assert tuple(row) == redact_sample.COLUMNS
        assert row["set"] in redact_sample.SETS
        assert row["drawn_for"] in redact.KINDS
        assert re.fullmatch("[0-9a-f]{12}", row["sha256"])
        assert int(row["line"]) > 0


def test_marks_are_of_the_kind_the_line_was_drawn_for_and_do_not_overlap():
    for row in LATER:
        spans = [label.split(":") for label in row["labels"].split()]
        assert {kind for _, _, kind in spans} <= {row["drawn_for"], "~"}
        places = sorted((int(a), int(b)) for a, b, _ in spans)
        assert all(a < b for a, b in places)
        assert all(one[1] <= other[0] for one, other in pairwise(places))


@pytest.mark.parametrize("name", UNSEEN)
def test_a_set_has_its_half_of_the_repositories_and_is_unlike_the_earlier_ones(name):
    drawing = redact_sample.SETS[name]
    mine = [row for row in ROWS if row["set"] == name]
    earlier = [row for row in ROWS if row["set"] in drawing.unlike]
    assert drawing.odd is None or {redact_sample.held_out(row["repo"]) for row in mine} <= {drawing.odd}
    assert not {row["repo"] for row in mine} & {row["repo"] for row in earlier}
    assert not {row["sha256"] for row in mine} & {row["sha256"] for row in earlier}
    places = [(row["drawn_for"], row["repo"], row["path"], row["line"]) for row in mine]
    assert len(places) == len(set(places))


def test_the_sets_have_their_corpora():
    assert list(redact.LABELS_OF) == ["out", *other_packages.OTHERS]
    for corpus, path in redact.LABELS_OF.items():
        assert {redact_sample.SETS[row["set"]].corpus for row in redact.labels_of_corpus(path)} == {corpus}


def projects(of):
    """The names without their versions, and where they come from."""
    names = [("npm", spec.rpartition("@")[0]) for spec in of.npm]
    names += [("pypi", spec.partition("==")[0]) for spec in of.pypi + of.sdists]
    return set(names) | {("debian", name) for name in of.debian}


def test_no_project_is_in_two_corpora():
    for one, other in combinations((packages.FULL, *other_packages.OTHERS.values()), 2):
        assert not projects(one) & projects(other)
