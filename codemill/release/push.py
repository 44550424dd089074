"""Uploads a release to a hub, when asked to."""

from __future__ import annotations

from pathlib import Path

from codemill.errors import EnvironmentProblem


def push(folder: Path, name: str) -> str:
    """Uploads a release as a data set, private at first. The hub's client finds its own token.

    Returns: the address. Raises: EnvironmentProblem if the client is not installed, or the hub refuses.
    """
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        remedy = "pip install huggingface_hub"
        raise EnvironmentProblem(f"the client of the hub is not installed: {error}", remedy=remedy) from error
    api = HfApi()
    try:
        address = str(api.create_repo(name, repo_type="dataset", private=True, exist_ok=True))
        api.upload_folder(repo_id=name, repo_type="dataset", folder_path=folder, ignore_patterns=["rebuilt/*"])
    except (HfHubHTTPError, OSError, ValueError) as error:
        what = str(error).strip().splitlines()[0]
        raise EnvironmentProblem(
            f"the hub did not take it: {what}", where=name, remedy="log in, or check the name"
        ) from error
    return address
