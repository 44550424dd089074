"""Languages: the catalogue of more than 700, and detection of a file's language."""

from codemill.languages.catalogue import Language, all, fingerprint, get, native, syntaxes
from codemill.languages.detection import Detection, detect, spoken

__all__ = ["Detection", "Language", "all", "detect", "fingerprint", "get", "native", "spoken", "syntaxes"]
