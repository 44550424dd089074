"""`codemill release`: everything that a result came from in one folder, which a stranger can rebuild it from.

chain     the runs that a result stands on, found through their manifests
inputs    what went in: files with sizes and hashes, packages by name and version
portable  manifests and commands without the places of this machine
checks    that nothing is missing, and nothing told that must not be
make      the folder
"""

from codemill.release.make import Release, release

__all__ = ["Release", "release"]
