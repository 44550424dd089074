"""How often detection agrees with Linguist's own samples: python -m bench.linguist_samples CLONE [--differences N]

CLONE is a clone of https://github.com/github-linguist/linguist, whose folder samples/ has a folder for each language.
Nothing is trained on them. A file that cannot be decoded is left out.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import pyarrow as pa

from codemill import _core, languages


def main() -> None:
    """Prints the agreement, as a whole and by the strategy that decided."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--differences", type=int, default=0, metavar="N", help="print the N most common ones")
    options = parser.parse_args()
    names = {language.title.replace("/", "-"): language.name for language in languages.all()}
    names["Fstar"] = "f*"  # an asterisk is in no name of a folder
    files = sorted(file for file in (options.clone / "samples").rglob("*") if file.is_file())
    texts = _core.decode(pa.array([file.read_bytes() for file in files], pa.large_binary()))["content"].to_pylist()
    samples = []
    for file, text in zip(files, texts, strict=True):
        title = file.relative_to(options.clone / "samples").parts[0]
        if text is not None:
            samples.append((names.get(title, title), file.name, text))
    found = languages.detect([name for _, name, _ in samples], [text for _, _, text in samples]).to_pylist()
    total, same, differences = Counter[str](), Counter[str](), Counter[tuple[str, str, str]]()
    for (wanted, name, _), row in zip(samples, found, strict=True):
        total[row["strategy"]] += 1
        if row["language"] == wanted:
            same[row["strategy"]] += 1
        else:
            differences[Path(name).suffix or name, wanted, str(row["language"])] += 1
    print(f"{total.total():,} of {len(files):,} samples: {same.total() / total.total():.2%} agree")
    for strategy, count in total.most_common():
        print(f"{strategy}: {count:,} samples, {same[strategy] / count:.2%}")
    for (suffix, wanted, got), count in differences.most_common(options.differences):
        print(f"{count:>4} {suffix}: {wanted}, here {got}")


if __name__ == "__main__":
    main()
