"""Who is named with ``@`` in an internal note.

``@Ada Lovelace``, ``@ada.lovelace`` and ``@ada_lovelace`` all name Ada Lovelace; ``@ada`` does while nobody else on the
desk has that first name. An address (``ada@example.com``) names nobody.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from uuid import UUID

MENTIONED_MAX = 20
_PARTS = re.compile(r"[\s._-]+")


def may_mention(text: str) -> bool:
    """Return whether it is worth asking who is on the desk."""
    return "@" in text


def mentioned(text: str, names: Mapping[UUID, str]) -> tuple[UUID, ...]:
    """Return whom of the people of the desk, by name, a text names; each once, in order of their ids."""
    called: dict[str, set[UUID]] = {}
    parts = {person: [part for part in _PARTS.split(name.casefold()) if part] for person, name in names.items()}
    firsts = Counter(one[0] for one in parts.values() if one)
    for person, one in parts.items():
        for words in ([one] if one else []) + ([one[:1]] if one and firsts[one[0]] == 1 else []):
            called.setdefault(" ".join(words), set()).add(person)
    if not called:
        return ()
    # The longest name first: @Ada Lovelace is not Ada, whoever that is.
    known = "|".join(
        r"[\s._-]+".join(map(re.escape, name.split())) for name in sorted(called, key=lambda name: (-len(name), name))
    )
    found: set[UUID] = set()
    for match in re.finditer(rf"(?<![\w@.-])@({known})(?!\w)", text.casefold()):
        found |= called[" ".join(_PARTS.split(match[1]))]
    return tuple(sorted(found)[:MENTIONED_MAX])
