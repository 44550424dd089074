"""Licences of repositories: what licence files and package manifests say, as SPDX expressions.

texts         which licences a text is, by fingerprints of its words
manifests     what pyproject.toml, package.json, Cargo.toml … say
expressions   SPDX expressions: names put right, read as a tree, held against what is allowed
files         which files speak of a licence, and for which folder
"""

from codemill.licenses.expressions import NO_ASSERTION, UNKNOWN, Choice, check_names, normal
from codemill.licenses.files import FILES, Said, by_folder, speaks, together, what_it_says
from codemill.licenses.texts import fingerprint, known, recognise

__all__ = [
    "FILES",
    "NO_ASSERTION",
    "UNKNOWN",
    "Choice",
    "Said",
    "by_folder",
    "check_names",
    "fingerprint",
    "known",
    "normal",
    "recognise",
    "speaks",
    "together",
    "what_it_says",
]
