"""Makes codemill/licenses/fingerprints.json from the texts of the SPDX list; see NOTICE.

    npm pack spdx-license-list && tar xf spdx-license-list-*.tgz
    python scripts/regenerate_licenses.py package/licenses

The folder has a JSON file for each licence, with `name` and `licenseText`.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

import numpy as np
from packaging.licenses._spdx import LICENSES  # the public part says only whether a name is valid

from codemill.licenses.texts import NOTICE, RUN, SAMPLE, hashes

TARGET = Path(__file__).resolve().parent.parent / "codemill" / "licenses" / "fingerprints.json"

LEAST = 12
"""Runs of words that a text must have to be told by them."""

SHARED = 0.5
"""Two licences of which one has this share of the other's text are rivals."""

MOST_ALIKE = 0.98
"""Two licences that share this much are one text under two names (GPL-2.0-only and -or-later); one of them is kept."""

END = re.compile("END OF TERMS AND CONDITIONS")
"""After this come instructions, which many leave out."""

LEFT_OUT = ("BSD-3-Clause-HP",)
"""Wordings of another licence of the list that are older than the list, and that nobody calls by this name."""

NOTICES = {
    "Apache-2.0": ("Apache-2.0", "Licensed under the Apache License, Version 2.0", "limitations under the License."),
    "MPL-2.0": ("MPL-2.0", "This Source Code Form is subject to the terms", "mozilla.org/MPL/2.0/."),
    "GPL-2.0-or-later": ("GPL-2.0-only", "This program is free software", "for more details."),
    "GPL-3.0-or-later": ("GPL-3.0-only", "This program is free software", "for more details."),
    "AGPL-3.0-or-later": ("AGPL-3.0-only", "This program is free software", "for more details."),
    "LGPL-2.1-or-later": ("LGPL-2.1-only", "This library is free software", "for more details."),
}
"""Notices that stand in place of a text: each with the text that quotes it, its first words and its last."""


def main(folder: str) -> int:
    """Writes the file."""
    texts = {}
    for file in sorted(Path(folder).glob("*.json")):
        entry = json.loads(file.read_text("utf-8"))
        if file.stem not in LEFT_OUT and not LICENSES.get(file.stem.lower(), {"deprecated": True})["deprecated"]:
            texts[file.stem] = (entry["name"], entry["licenseText"])
    notices = {}
    for name, (quoted, first, last) in NOTICES.items():
        full, text = texts[quoted][0], " ".join(texts[quoted][1].split())
        begin = text.index(first, max(0, text.find("END OF TERMS")))
        notices[f"{name}{NOTICE}"] = (full, text[begin : text.index(last, begin) + len(last)])
    texts = {name: (full, END.split(text)[0]) for name, (full, text) in texts.items()}
    texts |= notices
    prints = {name: hashes(text) for name, (_, text) in texts.items()}
    prints = {name: found for name, found in prints.items() if len(found) >= LEAST}
    for name in sorted(prints, key=lambda name: (name.endswith("-only"), -len(name), name)):
        others = (theirs for other, theirs in prints.items() if other != name and NOTICE not in other + name)
        if any(len(prints[name] & theirs) >= MOST_ALIKE * len(prints[name] | theirs) for theirs in others):
            del prints[name]
    made = {}
    for name, found in sorted(prints.items()):
        rivals = [
            other
            for other, theirs in sorted(prints.items())
            if other != name and len(found & theirs) >= SHARED * min(len(found), len(theirs))
        ]
        sample = np.array(sorted(found)[:SAMPLE], "<u4")
        made[name] = {
            "name": texts[name][0],
            "words": len(found) + RUN - 1,
            "rivals": rivals,
            "sample": base64.b64encode(sample.tobytes()).decode(),
        }
    TARGET.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    print(f"{TARGET.name}: {len(made)} licences, {TARGET.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
