"""Attention that never looks from one document into another.

    sdpa     scaled_dot_product_attention with a mask of all pairs        any device
    flex     flex_attention, which skips blocks that are masked wholly    CUDA, compiled
    causal   scaled_dot_product_attention that knows no documents         refused where a sequence has several

`isolation.check` proves it on the device at hand, by logits, before anything is trained.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from codemill.errors import RecipeError
from codemill.model.job import BACKENDS

Mask: TypeAlias = Any
"""None: each token looks at all before it. A bool tensor (B, 1, T, S), true where it may look; or a flex BlockMask."""


def attend(q_BHTD: Tensor, k_BGSD: Tensor, v_BGSD: Tensor, mask: Mask) -> Tensor:
    """What each query takes of the values (B, H, T, D)."""
    grouped = q_BHTD.shape[1] != k_BGSD.shape[1]
    if mask is not None and not isinstance(mask, Tensor):
        found: Tensor = _flex()(q_BHTD, k_BGSD, v_BGSD, block_mask=mask, enable_gqa=grouped)
        return found
    return F.scaled_dot_product_attention(
        q_BHTD, k_BGSD, v_BGSD, attn_mask=mask, is_causal=mask is None, enable_gqa=grouped
    )


def best(device: torch.device) -> str:
    """The fastest backend of a device."""
    return "flex" if device.type == "cuda" else "sdpa"


def mask_of(documents_BT: Tensor, backend: str) -> Mask:
    """The mask of sequences in which `documents_BT` numbers the document of each token.

    Raises: RecipeError for an unknown backend, or one that knows no documents where there are several in a sequence.
    """
    if backend not in BACKENDS:
        raise RecipeError(f"there is no attention {backend!r}", remedy=f"one of: {', '.join(BACKENDS)}")
    if bool((documents_BT == documents_BT[:, :1]).all()):
        return None
    if backend == "causal":
        what = "causal attention would look from one document into another, and a sequence has several"
        raise RecipeError(what, remedy="sdpa, or flex on a GPU")
    if backend == "flex":
        return _blocks(documents_BT)
    same_BTS = documents_BT[:, :, None] == documents_BT[:, None, :]
    return (same_BTS & torch.ones_like(same_BTS[0]).tril())[:, None]


def positions_of(documents_BT: Tensor) -> Tensor:
    """The place of each token in its document, from 0."""
    places_T = torch.arange(documents_BT.shape[1], device=documents_BT.device)
    begins_BT = torch.ones_like(documents_BT, dtype=torch.bool)
    begins_BT[:, 1:] = documents_BT[:, 1:] != documents_BT[:, :-1]
    return places_T - torch.where(begins_BT, places_T, 0).cummax(dim=1).values


@cache
def _flex() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=False)


def _blocks(documents_BT: Tensor) -> Mask:
    from torch.nn.attention.flex_attention import create_block_mask

    def may(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
        return (q >= k) & (documents_BT[b, q] == documents_BT[b, k])

    rows, length = documents_BT.shape
    return create_block_mask(may, B=rows, H=None, Q_LEN=length, KV_LEN=length, device=str(documents_BT.device))
