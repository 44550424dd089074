"""Tokens as files: an encoder, shards of tokens, plans over them, and the loader that follows a plan.

    shards   tokens of documents, written once, in uncompressed Arrow files that are mapped into memory
    plan     which spans of which shards make sequence n: narrow rows
    loader   the tokens of sequence n, by both

The room knows no step, no recipe and no machine: what trains on tokens imports it and nothing else of the pipeline.
"""

from codemill.tokens.encoder import Encoder
from codemill.tokens.loader import Loader, Sequence
from codemill.tokens.plan import SPAN, Plan
from codemill.tokens.shards import Shards
from codemill.tokens.special import SPECIAL

__all__ = ["SPAN", "SPECIAL", "Encoder", "Loader", "Plan", "Sequence", "Shards"]
