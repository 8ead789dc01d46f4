"""Archives, documents that are archives, tables and databases, made by the standard library and PyArrow; disguises."""

import bz2
import gzip
import io
import lzma
import sqlite3
import struct
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet

Table = dict[str, tuple[str, str | bytes]]

_OFFICE = "application/vnd.openxmlformats-officedocument"
_OASIS = "application/vnd.oasis.opendocument"
_ZIP = "application/zip application/x-zip-compressed"
_GZIP = "application/gzip application/x-gzip"
_OLE = "application/x-ole-storage application/cdfv2"
_TAR = "application/x-tar application/x-gtar application/x-ustar"
_MODEL = "<?xml version='1.0'?><model/>"
_JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"\xff\xfe\0\x10a comment here" + b"\xff\xd9"
_GIF = b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;"
_PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
_PAGE = b"<!DOCTYPE html>\n<html><head><title>a</title></head><body><script>alert(1)</script></body></html>\n"
_DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>\n'
_PROGRAM = (
    b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0" + bytes(44) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0\x64\x86" + bytes(200)
)
_WORDS = "the quick brown fox jumps over the lazy dog\n" * 40


def _zip(*members: str, kind: str = "", deflated: bool = True) -> bytes:
    """An archive of small files with these names; `kind` is what EPUB and OpenDocument write first, as it is."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as archive:
        if kind:
            archive.writestr("mimetype", kind, zipfile.ZIP_STORED)
        for name in members:
            archive.writestr(name, _MODEL + name)
    return file.getvalue()


def _streamed_zip(*members: str) -> bytes:
    """An archive whose lengths follow its members, as programs write that cannot go back."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def writable(self) -> bool:
            return True

        def write(self, part: object, /) -> int:
            self.parts.append(bytes(memoryview(part)))  # type: ignore[arg-type]
            return len(self.parts[-1])

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in members:
            archive.writestr(name, _MODEL + name)
    return b"".join(pipe.parts)


def _tar(mode: str, layout: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=layout) as archive:  # type: ignore[call-overload]
        entry = tarfile.TarInfo("folder/readme.txt")
        entry.size = len(_WORDS)
        archive.addfile(entry, io.BytesIO(_WORDS.encode()))
    return file.getvalue()


def _compound(stream: str) -> bytes:
    """A compound file (MS-CFB) with one stream, by whose name programs know their documents."""
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<10I", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0) + b"\xff" * 432
    table = struct.pack("<2I", 0xFFFFFFFE, 0xFFFFFFFD).ljust(512, b"\xff")
    return header[:512] + _directory(("Root Entry", 5), (stream, 2)) + table


def _directory(*entries: tuple[str, int]) -> bytes:
    written = b""
    for index, (name, kind) in enumerate(entries):
        encoded = name.encode("utf-16-le") + b"\0\0"
        tree = struct.pack("<3I", 0xFFFFFFFF, 0xFFFFFFFF, 1 if index == 0 else 0xFFFFFFFF)
        written += (encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1) + tree).ljust(128, b"\0")
    return written.ljust(512, b"\0")


def _database() -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create table a(b)")
        return connection.serialize()


def _table(layout: str) -> bytes:
    file, table = io.BytesIO(), pa.table({"a": [1, 2, 3]})
    match layout:
        case "parquet":
            pyarrow.parquet.write_table(table, file)
        case "orc":
            pyarrow.orc.write_table(table, file)
        case "feather":
            pyarrow.feather.write_feather(table, file)
        case _:
            with pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)
    return file.getvalue()


PACKED: Table = {
    "files.zip": (_ZIP, _zip("a.txt", "b/c.txt")),
    "stored.zip": (_ZIP, _zip("a.txt", deflated=False)),
    "streamed.zip": (_ZIP, _streamed_zip("a.txt", "b.txt")),
    "empty.zip": (_ZIP, _zip()),
    "letter.docx": (
        f"{_OFFICE}.wordprocessingml.document",
        _zip("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    ),
    "custom.docx": (
        f"{_OFFICE}.wordprocessingml.document",
        _zip("[Content_Types].xml", "_rels/.rels", "docProps/app.xml", "customXml/item1.xml", "word/document.xml"),
    ),
    "sheet.xlsx": (
        f"{_OFFICE}.spreadsheetml.sheet",
        _streamed_zip("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
    ),
    "slides.pptx": (f"{_OFFICE}.presentationml.presentation", _zip("[Content_Types].xml", "ppt/presentation.xml")),
    "macros.xlsm": (
        "application/vnd.ms-excel.sheet.macroenabled.12",
        _zip("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"),
    ),
    "chart.vsdx": (
        "application/vnd.ms-visio.drawing.main+xml application/vnd.visio application/vnd.ms-visio.drawing",
        _zip("[Content_Types].xml", "_rels/.rels", "visio/document.xml"),
    ),
    "letter.odt": (f"{_OASIS}.text", _zip("content.xml", kind=f"{_OASIS}.text")),
    "sheet.ods": (f"{_OASIS}.spreadsheet", _zip("content.xml", kind=f"{_OASIS}.spreadsheet")),
    "slides.odp": (f"{_OASIS}.presentation", _zip("content.xml", kind=f"{_OASIS}.presentation")),
    "drawing.odg": (f"{_OASIS}.graphics", _zip("content.xml", kind=f"{_OASIS}.graphics")),
    "book.epub": ("application/epub+zip", _zip("META-INF/container.xml", kind="application/epub+zip")),
    "tool.jar": (
        "application/java-archive application/x-java-archive",
        _zip("META-INF/", "META-INF/MANIFEST.MF", "A.class"),
    ),
    "app.apk": (
        "application/vnd.android.package-archive",
        _zip("AndroidManifest.xml", "classes.dex", "META-INF/MANIFEST.MF"),
    ),
    "comic.cbz": ("application/vnd.comicbook+zip application/x-cbz", _zip("01.jpg", "02.jpg", deflated=False)),
    "places.kmz": ("application/vnd.google-earth.kmz", _zip("doc.kml")),
    "part.3mf": (
        "model/3mf application/vnd.ms-package.3dmanufacturing-3dmodel+xml",
        _zip("[Content_Types].xml", "_rels/.rels", "3D/3dmodel.model"),
    ),
    "addon.xpi": ("application/x-xpinstall", _zip("manifest.json", "background.js")),
    "package.whl": (_ZIP + " application/x-wheel+zip", _zip("a/__init__.py", "a-1.dist-info/WHEEL")),
    "readme.txt.gz": (_GZIP, gzip.compress(_WORDS.encode())),
    "table.csv.bz2": ("application/x-bzip2 application/x-bzip", bz2.compress(_WORDS.encode())),
    "table.xz": ("application/x-xz", lzma.compress(_WORDS.encode())),
    "table.lzma": ("application/x-lzma", lzma.compress(_WORDS.encode(), format=lzma.FORMAT_ALONE)),
    "table.zst": ("application/zstd application/x-zstd", b"\x28\xb5\x2f\xfd\x24\x05\x29\0\0hello" + bytes(4)),
    "table.lz4": ("application/x-lz4", b"\x04\x22\x4d\x18\x64\x40\xa7\5\0\0\x80hello" + bytes(8)),
    "table.br.7z": ("application/x-7z-compressed", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40)),
    "old.tar.Z": ("application/x-compress", b"\x1f\x9d\x90" + b"\x61\xc4\x8c\x31" * 20),
    "files.rar": ("application/vnd.rar application/x-rar application/x-rar-compressed", b"Rar!\x1a\7\1\0" + bytes(60)),
    "older.rar": (
        "application/vnd.rar application/x-rar application/x-rar-compressed",
        b"Rar!\x1a\7\0\xcf\x90\x73" + bytes(60),
    ),
    "comic.cbr": (
        "application/vnd.comicbook-rar application/x-cbr application/vnd.rar application/x-rar",
        b"Rar!\x1a\7\0\xcf\x90\x73" + bytes(60),
    ),
    "files.tar": (_TAR, _tar("w")),
    "gnu.tar": (_TAR, _tar("w", tarfile.GNU_FORMAT)),
    "files.tgz": (f"{_GZIP} application/x-gtar-compressed", _tar("w:gz")),
    "files.cpio": ("application/x-cpio", b"070701" + b"0000A1B2" * 13 + b"readme.txt\0" + bytes(90)),
    "package.deb": (
        "application/vnd.debian.binary-package application/x-debian-package application/x-deb",
        b"!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\ncontrol.tar.xz  "
        b"1700000000  0     0     100644  4         `\nabcd",
    ),
    "library.a": (
        "application/x-archive application/x-unix-archive",
        b"!<arch>\n/               0           0     0     0       4         `\n\0\0\0\0",
    ),
    "package.rpm": (
        "application/x-rpm application/x-redhat-package-manager",
        b"\xed\xab\xee\xdb\3\0\0\0\0\1package-1" + bytes(90),
    ),
    "files.cab": (
        "application/vnd.ms-cab-compressed",
        b"MSCF\0\0\0\0\x80\0\0\0\0\0\0\0\x2c\0\0\0\0\0\0\0\3\1" + bytes(90),
    ),
    "disc.iso": ("application/x-iso9660-image application/vnd.efi.iso", bytes(0x8000) + b"\1CD001\1\0" + b" " * 2040),
    "image.squashfs": (
        "application/vnd.squashfs application/x-squashfs",
        b"hsqs\7\0\0\0" + bytes(20) + b"\4\0\0\0" + bytes(70),
    ),
    "files.lzh": ("application/x-lzh-compressed application/x-lha application/x-lzh", b"\x22\x10-lh5-" + bytes(80)),
    "files.arj": ("application/x-arj", b"\x60\xea\x2c\0\x22\x0b\1\x0b\0\0\2" + bytes(80)),
    "notes.db": ("application/vnd.sqlite3 application/x-sqlite3", _database()),
    "table.parquet": ("application/vnd.apache.parquet", _table("parquet")),
    "table.arrow": ("application/vnd.apache.arrow.file", _table("arrow")),
    "table.feather": ("application/vnd.apache.arrow.file", _table("feather")),
    "table.orc": ("application/vnd.apache.orc application/x-orc application/orc", _table("orc")),
    "table.avro": (
        "application/vnd.apache.avro application/avro avro/binary application/x-avro",
        b'Obj\1\2\x16avro.schema\x0c"long"' + bytes(40),
    ),
    "data.h5": (
        "application/x-hdf5 application/x-hdf application/vnd.hdfgroup.hdf5",
        b"\x89HDF\r\n\x1a\n\2\x08\x08\0" + bytes(90),
    ),
    "data.nc": ("application/x-netcdf application/netcdf", b"CDF\1\0\0\0\0\0\0\0\x0a" + bytes(90)),
    "data.npy": (
        "application/x-numpy-data application/x-npy",
        b"\x93NUMPY\1\0v\0{'descr': '<f8', 'shape': (1,)}".ljust(128) + bytes(8),
    ),
    "data.mat": (
        "application/x-matlab-data",
        b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\1IM" + bytes(90),
    ),
    "letter.doc": (f"application/msword {_OLE}", _compound("WordDocument")),
    "sheet.xls": (f"application/vnd.ms-excel {_OLE}", _compound("Workbook")),
    "slides.ppt": (f"application/vnd.ms-powerpoint {_OLE}", _compound("PowerPoint Document")),
    "mail.msg": (f"application/vnd.ms-outlook {_OLE}", _compound("__nameid_version1.0")),
    "base.accdb": (
        "application/x-msaccess application/vnd.msaccess application/msaccess",
        b"\0\1\0\0Standard ACE DB\0\2" + bytes(90),
    ),
}

DISGUISES: Table = {
    "page.jpg": ("text/html", _PAGE),
    "page.txt": ("text/html", _PAGE),
    "page.csv": ("text/html", _PAGE),
    "drawing.png": ("image/svg+xml", _DRAWING),
    "program.mp4": (
        "application/vnd.microsoft.portable-executable application/x-dosexec application/x-msdownload",
        _PROGRAM,
    ),
    "holiday.txt": ("image/jpeg", "=photo.jpg"),
    "film.webp": ("video/mp4 video/x-m4v", "=film.mp4"),
    "really-mp4.mkv": ("video/mp4 video/x-m4v", "=film.mp4"),
    "really-flac.mp3": ("audio/flac audio/x-flac", "=song.flac"),
    "really-mkv.avi": ("video/matroska video/x-matroska", "=film.mkv"),
    "really-png.jpg": ("image/png", "=photo.png"),
    "really-webp.gif": ("image/webp", "=photo.webp"),
    "really-zip.pdf": (_ZIP, _zip("a.txt")),
    "really-pdf.docx": ("application/pdf", _PDF),
    "really-gzip.tar": (_GZIP, _tar("w:gz")),
    "words.mp4": ("text/plain", _WORDS.encode()),
    "table.png": ("text/plain text/csv", b"a,b\n1,2\n3,4\n"),
    "polyglot.js": ("image/gif", b"GIF89a/*\0\0*/=1;alert(1)//"),
    "polyglot.html": ("image/gif", _GIF + _PAGE),
    "polyglot.pdf": ("application/pdf", _PDF + _zip("a.txt")),
    "polyglot.jpeg": ("image/jpeg", _JPEG + _zip("a.txt")),
    "polyglot.jar": ("application/pdf", _PDF + _zip("META-INF/MANIFEST.MF")),
    "nameless-page": ("text/html", _PAGE),
    "nameless-drawing": ("image/svg+xml", _DRAWING),
    "nameless-png": ("image/png", "=photo.png"),
    "nameless-mp3": ("audio/mpeg audio/mp3", "=bare.mp3"),
    "nameless-m4a": ("audio/mp4 audio/x-m4a audio/m4a", "=song.m4a"),
    "nameless-mkv": ("video/matroska video/x-matroska", "=film.mkv"),
    "nameless-mka": ("audio/matroska audio/x-matroska", "=song.mka"),
    "nameless-ts": ("video/mp2t", "=broadcast.ts"),
    "nameless-ogv": ("video/ogg", "=film.ogv"),
    "nameless-opus": ("audio/ogg audio/opus", "=song.opus"),
    "nameless-wma": ("audio/x-ms-wma", "=song.wma"),
    "nameless-zip": (_ZIP, "=files.zip"),
    "nameless-docx": (f"{_OFFICE}.wordprocessingml.document", "=letter.docx"),
    "nameless-epub": ("application/epub+zip", "=book.epub"),
    "nameless-pdf": ("application/pdf", _PDF),
    "nameless-avif": ("image/avif", "=photo.avif"),
}
