"""What the end of a file's name claims about its bytes: never believed alone, see `detection`.

Our own table and not the machine's, so that a file has the same type everywhere. Registered names where there are any
(IANA media types), else those that browsers and editors know; source code is `text/x-` and a language.
"""

TEXT: dict[str, str] = {
    "txt": "text/plain",
    "text": "text/plain",
    "log": "text/plain",
    "nfo": "text/plain",
    "ini": "text/plain",
    "cfg": "text/plain",
    "conf": "text/plain",
    "diff": "text/x-diff",
    "patch": "text/x-diff",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "tab": "text/tab-separated-values",
    "json": "application/json",
    "geojson": "application/geo+json",
    "ndjson": "application/x-ndjson",
    "jsonl": "application/x-ndjson",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "toml": "application/toml",
    "sql": "application/sql",
    "css": "text/css",
    "js": "text/javascript",
    "mjs": "text/javascript",
    "cjs": "text/javascript",
    "html": "text/html",
    "htm": "text/html",
    "xhtml": "application/xhtml+xml",
    "xht": "application/xhtml+xml",
    "xml": "application/xml",
    "xsl": "application/xml",
    "svg": "image/svg+xml",
    "rtf": "text/rtf",
    "ics": "text/calendar",
    "vcf": "text/vcard",
    "eml": "message/rfc822",
    "ps": "application/postscript",
    "eps": "application/postscript",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "ass": "text/x-ssa",
    "ssa": "text/x-ssa",
    "m3u": "audio/x-mpegurl",
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
    "c": "text/x-c",
    "h": "text/x-c",
    "cc": "text/x-c++",
    "cpp": "text/x-c++",
    "hpp": "text/x-c++",
    "cs": "text/x-csharp",
    "go": "text/x-go",
    "java": "text/x-java",
    "kt": "text/x-kotlin",
    "lua": "text/x-lua",
    "php": "text/x-php",
    "pl": "text/x-perl",
    "py": "text/x-python",
    "pyi": "text/x-python",
    "r": "text/x-r",
    "rb": "text/x-ruby",
    "rs": "text/x-rust",
    "scala": "text/x-scala",
    "sh": "text/x-shellscript",
    "bash": "text/x-shellscript",
    "swift": "text/x-swift",
    "tex": "text/x-tex",
    "ts": "text/x-typescript",
    "tsx": "text/x-typescript",
    "jsx": "text/x-jsx",
    "vue": "text/x-vue",
}
"""For bytes that are text."""

ZIP: dict[str, str] = {
    "zip": "application/zip",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "epub": "application/epub+zip",
    "jar": "application/java-archive",
    "apk": "application/vnd.android.package-archive",
    "cbz": "application/vnd.comicbook+zip",
    "kmz": "application/vnd.google-earth.kmz",
    "3mf": "model/3mf",
    "whl": "application/zip",
    "ipa": "application/zip",
    "npz": "application/zip",
}
"""For bytes that are a zip archive."""

_IMAGES = (
    "apng",
    "avif",
    "bmp",
    "gif",
    "heic",
    "heif",
    "ico",
    "jfif",
    "jpeg",
    "jpg",
    "jxl",
    "png",
    "tif",
    "tiff",
    "webp",
)
_SOUNDS_AND_FILMS = (
    "3ga", "3gp", "aac", "ac3", "aif", "aiff", "au", "avi", "caf", "eac3", "ec3", "flac", "flv", "m2ts", "m4a", "m4b",
    "m4r", "m4v", "mid", "midi", "mka", "mkv", "mov", "mp3", "mp4", "mpeg", "mpg", "mts", "oga", "ogg", "ogv", "opus",
    "ts", "wav", "weba", "webm", "wma", "wmv",
)  # fmt: skip

BINARY_FAMILY: dict[str, str] = {
    **dict.fromkeys(_IMAGES, "image"),
    **dict.fromkeys(_SOUNDS_AND_FILMS, "media"),
    "7z": "application/x-7z-compressed",
    "gz": "application/gzip",
    "pdf": "application/pdf",
    "tar": "application/x-tar",
    "tgz": "application/gzip",
}
"""For other bytes: the family a name claims, which is a whole kind for pictures and for sound and film."""


def extension_of(name: str) -> str:
    """What follows the last dot, in lower case; empty where there is none, or nothing before it.

    >>> extension_of("Film.MP4"), extension_of(".profile"), extension_of("README")
    ('mp4', '', '')
    """
    stem, _, extension = name.rpartition(".")
    return extension.lower() if stem else ""
