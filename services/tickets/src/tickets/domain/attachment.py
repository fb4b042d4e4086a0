"""Files on tickets: what may come in, under which name, and as what it goes out."""

from __future__ import annotations

import unicodedata
from datetime import datetime

FILE_BYTES_MAX = 10 * 1024 * 1024
TICKET_FILES_MAX = 100
TICKET_BYTES_MAX = 200 * 1024 * 1024
NAME_CHARACTERS_MAX = 150
SHARDS, SHARD_SECONDS = 256, 900
DOUBTFUL_MIN = 50
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ZIPPED = (b"PK\x03\x04", b"PK\x05\x06")
_SIGNS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    "webp": ("image/webp", (b"RIFF",)),
    "pdf": ("application/pdf", (b"%PDF-",)),
    "zip": ("application/zip", _ZIPPED),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", _ZIPPED),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _ZIPPED),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", _ZIPPED),
    "odt": ("application/vnd.oasis.opendocument.text", _ZIPPED),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", _ZIPPED),
    "gz": ("application/gzip", (b"\x1f\x8b",)),
    "pcap": ("application/vnd.tcpdump.pcap", (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x0a\x0d\x0d\x0a")),
    "mp4": ("video/mp4", ()),
    "eml": ("message/rfc822", ()),
    "msg": ("application/vnd.ms-outlook", (b"\xd0\xcf\x11\xe0",)),
    "txt": ("text/plain", ()),
    "log": ("text/plain", ()),
    "md": ("text/plain", ()),
    "csv": ("text/csv", ()),
    "json": ("application/json", ()),
    "har": ("application/json", ()),
    "yaml": ("text/plain", ()),
    "yml": ("text/plain", ()),
}
"""Media type and first bytes by the ending of a name; no first bytes means any."""


class FileTooLarge(Exception):
    """A file, or all files of a ticket together, are larger than accepted."""


class FileTypeRefused(Exception):
    """Files of this type are not accepted: they could run where they are opened."""


class FileNotWhatItSays(Exception):
    """The content is not what the ending of the name says."""


def safe_name(name: str) -> str:
    """Return the last part of a name without what a file system, a header or a reader could take wrongly."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(one for one in last if unicodedata.category(one) not in ("Cc", "Cs") and one not in _BIDIRECTIONAL)
    kept = " ".join(kept.split()).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    if dot and len(kept) > NAME_CHARACTERS_MAX:
        kept = f"{stem[: NAME_CHARACTERS_MAX - len(ending) - 1]}.{ending}"
    return kept[:NAME_CHARACTERS_MAX] or "file"


def media_type_of(name: str, content: bytes) -> str:
    """Return the media type of a file, by its name; content must agree.

    Raises:
        FileTypeRefused: the ending is not on the list.
        FileNotWhatItSays: the content begins as something else.
        FileTooLarge: it is larger than one file may be.
    """
    if len(content) > FILE_BYTES_MAX:
        raise FileTooLarge(f"a file has at most {FILE_BYTES_MAX // 1024 // 1024} MiB")
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending not in _SIGNS:
        raise FileTypeRefused(
            f"{name!r} is not accepted; accepted endings are {', '.join(sorted(_SIGNS))} (put anything else into a zip)"
        )
    media_type, signs = _SIGNS[ending]
    if not content or (signs and not content.startswith(signs)):
        raise FileNotWhatItSays(f"the content of {name!r} is not {media_type}" if content else f"{name!r} is empty")
    return media_type


def check_room(*, files: int, size_bytes: int, more_bytes: int) -> None:
    """Check that a ticket may have one more file.

    Raises:
        FileTooLarge: it has too many, or they are too large together.
    """
    if files >= TICKET_FILES_MAX or size_bytes + more_bytes > TICKET_BYTES_MAX:
        raise FileTooLarge(f"a ticket has at most {TICKET_FILES_MAX} files and {TICKET_BYTES_MAX // 1024 // 1024} MiB")


def shard_at(at: datetime) -> str:
    """Return which part of the contents has its turn: the first two digits of their hashes."""
    return f"{int(at.timestamp()) // SHARD_SECONDS % SHARDS:02x}"


def are_doubtful(*, kept: int, lost: int) -> bool:
    """Return whether so much belongs to nobody that the database is more likely the wrong one."""
    return lost > DOUBTFUL_MIN and lost > kept
