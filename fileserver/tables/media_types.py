"""What a table is called on its way out: its media type, and the extension of its file's name.

CSV's type is RFC 4180's, TSV's that of IANA's registration of 1993; NDJSON has none, and goes by its common name.
"""

import codecs
import re
from collections.abc import Mapping

from fileserver.tables.plan import Output

_MEDIA_TYPES: Mapping[str, str] = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_EXTENSIONS: Mapping[str, str] = {"arrow": "arrows"}  # a stream is no Arrow file: the registration keeps them apart


def media_type(output: Output, *, has_header: bool = True) -> str:
    """The Content-Type of a table that leaves so; `has_header` is said of the input and counts if the plan is silent.

    >>> media_type(Output(format="csv", encoding="latin-1"), has_header=False)
    'text/csv; charset=iso-8859-1; header=absent'
    >>> media_type(Output(format="ndjson"))
    'application/x-ndjson'
    """
    name = _MEDIA_TYPES[output.format]
    if not name.startswith("text/"):
        return name
    name = f"{name}; charset={charset(output.encoding)}"
    if output.format != "csv":  # only CSV has the parameter `header`, RFC 4180 s.3
        return name
    is_present = has_header if output.header is None else output.header
    return f"{name}; header={'present' if is_present else 'absent'}"


def file_extension(output: Output) -> str:
    """What a file of this output ends in, without a dot.

    >>> file_extension(Output(format="xlsx"))
    'xlsx'
    """
    return _EXTENSIONS.get(output.format, output.format)


def charset(encoding: str) -> str:
    """The name that the net knows a Python encoding by; of an unknown one, what a media type may hold.

    >>> charset("cp1252"), charset("UTF8"), charset("utf_16_le")
    ('windows-1252', 'utf-8', 'utf-16le')
    """
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return re.sub("[^A-Za-z0-9._-]", "", encoding)
    if name.startswith("cp125"):
        return f"windows-{name[2:]}"
    if name.startswith("iso8859-"):
        return name.replace("iso", "iso-", 1)
    return _CHARSETS.get(name, name)


_CHARSETS: Mapping[str, str] = {  # where Python's name is not IANA's
    "utf-8-sig": "utf-8",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
    "utf-32-le": "utf-32le",
    "utf-32-be": "utf-32be",
    "ascii": "us-ascii",
    "mac-roman": "macintosh",
    "euc_jp": "euc-jp",
    "euc_kr": "euc-kr",
    "iso2022_jp": "iso-2022-jp",
    "iso2022_kr": "iso-2022-kr",
}
