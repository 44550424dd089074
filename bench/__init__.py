"""Benchmarks of codemill beside its peers: `python -m bench`. Nothing here is imported by the package."""
