"""What a compound file (MS-CFB) is: a document of Office before 2007, a message. By its streams' names."""

from fileserver.media.detection.found import Found

_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRY_SIZE = 128
_MOST_ENTRIES = 128
_BY_STREAM = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
    "VisioDocument": "application/vnd.visio",
    "__nameid_version1.0": "application/vnd.ms-outlook",
    "__properties_version1.0": "application/vnd.ms-outlook",
    "Quill": "application/x-mspublisher",
}


def compound_type(head: bytes) -> Found | None:
    """What a compound file that begins with `head` is, as far as its directory lies in there; None for any other."""
    if not head.startswith(_SIGNATURE) or len(head) < 512:
        return None
    sector_size = 1 << min(int.from_bytes(head[30:32], "little"), 16)
    start = (int.from_bytes(head[48:52], "little") + 1) * sector_size
    for place in range(start, min(start + _MOST_ENTRIES * _ENTRY_SIZE, len(head)), _ENTRY_SIZE):
        size = min(int.from_bytes(head[place + 64 : place + 66], "little"), 64)
        name = head[place : place + max(size - 2, 0)].decode("utf-16-le", "replace")
        if name in _BY_STREAM:
            return Found(_BY_STREAM[name])
    return Found("application/x-ole-storage", is_settled=False)
