"""The special tokens, and the one regular expression that cuts text before bytes are merged."""

from __future__ import annotations

END = "<|endoftext|>"  # the end of a document
PAD = "<|pad|>"  # fills the last sequence of a plan
PREFIX, MIDDLE, SUFFIX = "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"
REPOSITORY, FILE = "<|repo_name|>", "<|file_sep|>"
TURN, TURN_END = "<|im_start|>", "<|im_end|>"

_NAMED = (END, PAD, PREFIX, MIDDLE, SUFFIX, REPOSITORY, FILE, TURN, TURN_END)

SPECIAL = (*_NAMED, *(f"<|reserved_{i}|>" for i in range(32 - len(_NAMED))))
"""The last 32 entries of every vocabulary made here, in order: a model that needs another one later takes a reserved
one, and no matrix changes its shape."""

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Cuts text into the pieces within which bytes are merged: each digit alone, spaces in front of words, line ends apart.

Why this one: `\\p{N}` alone splits digits, and as one expression both `tokenizers` and gigatoken take it (gigatoken
knows a list of expressions, and refuses a sequence of two). From: Qwen2.
"""

CHAT = (
    "{% for message in messages %}"
    f"{{{{ '{TURN}' + message['role'] + '\n' }}}}"
    "{% if message['role'] == 'assistant' %}"
    f"{{% generation %}}{{{{ message['content'] + '{TURN_END}' }}}}{{% endgeneration %}}"
    f"{{% else %}}{{{{ message['content'] + '{TURN_END}' }}}}{{% endif %}}"
    "{{ '\n' }}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{{{{ '{TURN}assistant\n' }}}}{{% endif %}}"
)
"""The chat template: what stands in `generation` is what a model is trained to say."""
