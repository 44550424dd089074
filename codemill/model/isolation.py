"""Proves that no document sees another, on the device at hand and by logits: several trainers lost it in silence."""

from __future__ import annotations

import torch

from codemill.errors import EnvironmentProblem
from codemill.model.attention import mask_of, positions_of
from codemill.model.llama import Llama


def check(model: Llama, backend: str, device: torch.device, length: int = 256) -> None:
    """Packs two documents, changes the first, and looks at the logits of the second.

    Raises: EnvironmentProblem if they moved.
    """
    half = length // 2
    draw = torch.Generator().manual_seed(0)
    one_BT = torch.randint(model.config.vocabulary, (1, length), generator=draw)
    two_BT = one_BT.clone()
    two_BT[:, :half] = (two_BT[:, :half] + 1) % model.config.vocabulary
    documents_BT = (torch.arange(length)[None] >= half).long().to(device)
    mask, positions_BT = mask_of(documents_BT, backend), positions_of(documents_BT)
    with torch.no_grad():
        first, second = (
            model(tokens_BT.to(device), positions_BT=positions_BT, mask=mask)[:, half:]
            for tokens_BT in (one_BT, two_BT)
        )
    moved = float((first - second).abs().max())
    if moved != 0:
        what = f"attention {backend!r} looks from one document into another here: a logit moved by {moved:.2g}"
        raise EnvironmentProblem(what, where=device, remedy="another backend, such as sdpa")
