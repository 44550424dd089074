"""Settings of all tests."""

import os

from hypothesis import settings

# The same examples on every run: a change is judged by what it changed. To look for new ones: CODEMILL_FUZZ=N.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("fuzz", max_examples=int(os.environ.get("CODEMILL_FUZZ", "1000")), deadline=None)
settings.load_profile("fuzz" if "CODEMILL_FUZZ" in os.environ else "repeatable")
