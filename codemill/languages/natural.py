"""Which natural language a text is in, as far as rules need to know: Chinese, or not."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

HAN_SHARE = 0.2
"""Share of characters that must be Han for a text to be Chinese; a Japanese one has kana as well."""


def natural_language(texts: pa.Array) -> pa.Array:
    """`zh` for Chinese texts, null for all others.

    Chinese is what has Han characters in at least a fifth of its characters and fewer kana than a tenth of those.
    Not covered: any other language; Chinese text written with Japanese kana in it.

    >>> natural_language(pa.array(["读取文件的函数", "ファイルを読む関数", "reads a file", None])).to_pylist()
    ['zh', None, None, None]
    """
    han = pc.count_substring_regex(texts, r"\p{Han}")
    kana = pc.count_substring_regex(texts, r"[\p{Hiragana}\p{Katakana}]")
    enough = pc.greater_equal(han, pc.multiply(pc.utf8_length(texts).cast(pa.float64()), HAN_SHARE))
    chinese = pc.and_(pc.and_(enough, pc.less(pc.multiply(kana, 10), han)), pc.greater(han, 0))
    return pc.if_else(chinese, "zh", pa.scalar(None, pa.string()))
