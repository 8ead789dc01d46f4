"""What a binary file is by its first bytes: kinds that libmagic has no type for, another name, or no knowledge of.

Sources: the formats' own documents, IANA's media types, and freedesktop.org's names where nothing is registered.
"""

import re

_ARROW = "application/vnd.apache.arrow.file"
_PROGRAM = "application/vnd.microsoft.portable-executable"
_PCAP = "application/vnd.tcpdump.pcap"

_BY_START: tuple[tuple[bytes, str], ...] = (
    # pictures
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0\x10\0\0\0CR\2", "image/x-canon-cr2"),
    (b"IIU\0", "image/x-panasonic-rw2"),
    (b"IIRO", "image/x-olympus-orf"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0\x08\0\0\0", "image/tiff"),
    (b"MM\0+\0\x08\0\0", "image/tiff"),
    (b"II\xbc", "image/jxr"),
    (b"\xff\x0a", "image/jxl"),
    (b"\xff\x4f\xff\x51", "image/x-jp2-codestream"),
    (b"FUJIFILMCCD-RAW ", "image/x-fuji-raf"),
    (b"FOVb", "image/x-sigma-x3f"),
    (b"8BPS\0\1", "image/vnd.adobe.photoshop"),
    (b"8BPS\0\2", "image/vnd.adobe.photoshop"),
    (b"gimp xcf ", "image/x-xcf"),
    (b"icns", "image/icns"),
    (b"DDS |\0\0\0", "image/vnd.ms-dds"),
    (b"v/1\1", "image/x-exr"),
    (b"#?RADIANCE\n", "image/vnd.radiance"),
    (b"#?RGBE\n", "image/vnd.radiance"),
    (b"SDPX\0\0", "image/x-dpx"),
    (b"XPDS\0\0", "image/x-dpx"),
    (b"\x80\x2a\x5f\xd7", "image/x-cineon"),
    (b"SIMPLE  =                    T", "image/fits"),
    (b"qoif", "image/qoi"),
    (b"farbfeld", "image/x-farbfeld"),
    (b"\x01\xda\0\1", "image/sgi"),
    (b"\x01\xda\1\1", "image/sgi"),
    (b"\x59\xa6\x6a\x95", "image/x-sun-raster"),
    (b"\xd7\xcd\xc6\x9a", "image/wmf"),
    (b"\x8bJNG\r\n\x1a\n", "image/x-jng"),
    (b"\x8aMNG\r\n\x1a\n", "video/x-mng"),
    (b"BPG\xfb", "image/bpg"),
    (b"id=ImageMagick", "image/x-miff"),
    (b"\xabKTX 11\xbb\r\n\x1a\n", "image/ktx"),
    (b"\xabKTX 20\xbb\r\n\x1a\n", "image/ktx2"),
    (b"Paint Shop Pro Image File", "image/x-paintshoppro"),
    (b"AC10", "image/vnd.dwg"),
    # sound and film
    (b"fLaC\0\0\0\x22", "audio/flac"),
    (b"caff\0\1", "audio/x-caf"),
    (b".snd\0\0\0", "audio/basic"),
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr-wb"),
    (b"TTA1", "audio/x-tta"),
    (b"TTA2", "audio/x-tta"),
    (b"wvpk", "audio/x-wavpack"),
    (b"MAC ", "audio/ape"),
    (b"MPCK", "audio/x-musepack"),
    (b"MP+", "audio/x-musepack"),
    (b"DSD \x1c\0\0\0", "audio/x-dsf"),
    (b"FRM8", "audio/x-dff"),
    (b"MThd\0\0\0\6", "audio/midi"),
    (b"Creative Voice File\x1a", "audio/x-voc"),
    (b"Extended Module: ", "audio/x-xm"),
    (b"IMPM", "audio/x-it"),
    (b".SoX", "audio/x-sox"),
    (b"XoS.", "audio/x-sox"),
    (b"ajkg", "audio/x-shorten"),
    (b"OFR ", "audio/x-optimfrog"),
    (b"TWIN", "audio/x-twinvq"),
    (b"OMA\0", "audio/x-oma"),
    (b"ea3\3", "audio/x-oma"),
    (b"PSID\0", "audio/prs.sid"),
    (b".ra\xfd", "audio/vnd.rn-realaudio"),
    (b".RMF\0\0\0", "application/vnd.rn-realmedia"),
    (b"FLV\1", "video/x-flv"),
    (b"DKIF\0\0\x20\0", "video/x-ivf"),
    (b"YUV4MPEG2 ", "video/x-yuv4mpeg"),
    (b"nut/multimedia container\0", "video/x-nut"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", "application/mxf"),
    (b"\0\0\0\0\1\xbc", "application/gxf"),
    (bytes.fromhex("b7d800203749da11a64e0007e95ead8d"), "video/x-wtv"),
    (b"BIKi", "video/vnd.radgamettools.bink"),
    # archives and images of discs
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"LZIP\1", "application/lzip"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\x04\x22\x4d\x18", "application/x-lz4"),
    (b"\x89LZO\0\r\n\x1a\n", "application/x-lzop"),
    (b"\xff\6\0\0sNaPpY", "application/x-snappy-framed"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"\x1f\x9d", "application/x-compress"),
    (b"Rar!\x1a\7", "application/vnd.rar"),
    (b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    (b"xar!\0\x1c", "application/x-xar"),
    (b"MSWIM\0\0\0", "application/x-ms-wim"),
    (b"\xed\xab\xee\xdb", "application/x-rpm"),
    (b"!<arch>\ndebian-binary", "application/vnd.debian.binary-package"),
    (b"!<arch>\n", "application/x-archive"),
    (b"hsqs", "application/vnd.squashfs"),
    (b"sqsh", "application/vnd.squashfs"),
    (b"QFI\xfb", "application/x-qemu-disk"),
    (b"KDMV", "application/x-vmdk-disk"),
    (b"# Disk DescriptorFile", "application/x-vmdk-disk"),
    (b"vhdxfile", "application/x-vhdx-disk"),
    (b"conectix", "application/x-vhd-disk"),
    (b"ANDROID!", "application/x-android-boot"),
    # tables and data
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"PARE", "application/vnd.apache.parquet"),
    (b"ARROW1\0\0", _ARROW),
    (b"FEA1", _ARROW),
    (b"ORC\n", "application/vnd.apache.orc"),
    (b"ORC\x0a\x03", "application/vnd.apache.orc"),
    (b"Obj\1", "application/vnd.apache.avro"),
    (b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (b"\x0e\x03\x13\x01", "application/x-hdf"),
    (b"CDF\1", "application/x-netcdf"),
    (b"CDF\2", "application/x-netcdf"),
    (b"CDF\5", "application/x-netcdf"),
    (b"\x93NUMPY", "application/x-numpy-data"),
    (b"MATLAB 5.0 MAT-file", "application/x-matlab-data"),
    (b"\0\1\0\0Standard Jet DB", "application/x-msaccess"),
    (b"\0\1\0\0Standard ACE DB", "application/x-msaccess"),
    (b"bplist0", "application/x-plist"),
    (b"\xd4\xc3\xb2\xa1", _PCAP),
    (b"\xa1\xb2\xc3\xd4", _PCAP),
    (b"\x4d\x3c\xb2\xa1", _PCAP),
    (b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (b"RDX2\n", "application/x-r-data"),
    (b"RDX3\n", "application/x-r-data"),
    (b"$FL2@(#)", "application/x-spss-sav"),
    (b"PACK\0\0\0\2", "application/x-git"),
    (b"PACK\0\0\0\3", "application/x-git"),
    (b"# v2 git bundle\n", "application/x-git-bundle"),
    (b"# v3 git bundle\n", "application/x-git-bundle"),
    (b"GGUF", "application/x-gguf"),
    # programs
    (b"\0asm\1\0\0\0", "application/wasm"),
    (b"dex\n03", "application/vnd.android.dex"),
    (b"dex\n04", "application/vnd.android.dex"),
    (b"\x1bLua", "application/x-lua-bytecode"),
    (b"BC\xc0\xde", "application/x-llvm-bitcode"),
    (b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", "application/x-ms-shortcut"),
    (b"NES\x1a", "application/x-nes-rom"),
    # documents, letters and models
    (b"%PDF-", "application/pdf"),
    (b"%!PS-AdobeFont", "application/x-font-type1"),
    (b"%!PS", "application/postscript"),
    (b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (b"{\\rtf", "text/rtf"),
    (b"ITSF\3\0\0\0", "application/vnd.ms-htmlhelp"),
    (b"ITOLITLS", "application/x-ms-reader"),
    (b"\xf7\2\1\x83\x92\xc0\x1c\x3b", "application/x-dvi"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"OTTO\0", "font/otf"),
    (b"true\0", "font/ttf"),
    (b"ttcf\0", "font/collection"),
    (b"glTF\2\0\0\0", "model/gltf-binary"),
    (b"Kaydara FBX Binary  \0", "application/vnd.autodesk.fbx"),
    (b"BLENDER", "application/x-blender"),
    (b"ply\n", "model/ply"),
    (b"ply\r\n", "model/ply"),
    (b"II\x1a\0\0\0HEAPCCDR", "image/x-canon-crw"),
)
"""More of a kind before less of it: the first that fits."""

_BY_PATTERN: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), media_type)
    for pattern, media_type in (
        # an animation chunk before the first picture data (PNG 3 s.11.3.6.1); chunks before it are short
        (rb"\x89PNG\r\n\x1a\n(?:(?!IDAT).){0,4096}?acTL", "image/apng"),
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"BM.{4}\x00\x00\x00\x00.{4}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", "image/bmp"),
        (rb"\x00\x00\x01\x00[\x01-\xff]\x00", "image/x-icon"),
        (rb"\x00\x00\x02\x00[\x01-\xff]\x00.{2}.?\x00", "image/x-win-bitmap"),
        (rb"\x0a[\x00\x02-\x05]\x01[\x01\x02\x04\x08].{61}[\x01-\x04]", "image/x-pcx"),
        (rb"\x01\x00\x00\x00.{36} EMF", "image/emf"),
        (rb"AT&TFORM.{4}DJV[UMI]", "image/vnd.djvu"),
        (rb"P[14][ \t\r\n]", "image/x-portable-bitmap"),
        (rb"P[25][ \t\r\n]", "image/x-portable-graymap"),
        (rb"P[36][ \t\r\n]", "image/x-portable-pixmap"),
        (rb"P7\nWIDTH |P7\n#", "image/x-portable-arbitrarymap"),
        (rb"P[Ff]\n\d+ \d+\n-?\d", "image/x-portable-floatmap"),
        (rb"\x00\x00.{2}\x00\x00\x00\x07.{96}", "image/x-xwindowdump"),
        (rb".{522}\x00\x11\x02\xff\x0c\x00", "image/x-pict"),
        (rb".{44}SCRM", "audio/x-s3m"),
        (rb".{1080}(?:M\.K\.|M!K!|FLT[48]|[468]CHN|1\dCH|2\dCH|3[0-2]CH)", "audio/x-mod"),
        (rb"[FCZ]WS[\x01-\x32].{4}", "application/vnd.adobe.flash.movie"),
        (rb"070701[0-9A-Fa-f]{8}|070702[0-9A-Fa-f]{8}|070707[0-7]{6}|\xc7\x71.{4}", "application/x-cpio"),
        (rb"\x60\xea.{2}[\x1e-\x40]", "application/x-arj"),
        (rb"\x64\xa3[\x01-\x04]\x00", "audio/x-ircam"),
        (rb"..-l(?:h[0-7dx]|z[45s]|pm[0-2])-", "application/x-lzh-compressed"),
        (rb"\x5d\x00\x00[\x00-\x80]\x00(?:\xff{8}|.{5}\x00{3})", "application/x-lzma"),
        (rb".{257}ustar[\x00 ]", "application/x-tar"),
        (rb".{32769}CD001", "application/x-iso9660-image"),
        (rb".{32769}(?:BEA01|NSR0[23])", "application/x-iso9660-image"),
        (rb".{64}\x7f\x10\xda\xbe", "application/x-virtualbox-vdi"),
        (rb".{128}DICM", "application/dicom"),
        (rb".{60}(?:BOOKMOBI|TEXtREAd)", "application/x-mobipocket-ebook"),
        (rb".{8}(?:\x00\x00\x01|[\x01\x02]\x00\x02)\x00.{22}LP", "application/vnd.ms-fontobject"),
        (rb"\x00\x01\x00\x00\x00[\x01-\x40].{6}[A-Za-z/ 0-9]{4}", "font/ttf"),
        (rb"\x80\x01.{4}%!", "application/x-font-type1"),
        (rb"\x7fELF[\x01\x02]\x01.{10}\x01\x00|\x7fELF[\x01\x02]\x02.{10}\x00\x01", "application/x-object"),
        (rb"\x7fELF[\x01\x02]\x01.{10}\x02\x00|\x7fELF[\x01\x02]\x02.{10}\x00\x02", "application/x-executable"),
        (rb"\x7fELF[\x01\x02]\x01.{10}\x03\x00|\x7fELF[\x01\x02]\x02.{10}\x00\x03", "application/x-sharedlib"),
        (rb"\xca\xfe\xba\xbe\x00\x00\x00[\x01-\x2c]\x00\x00", "application/x-mach-binary"),
        (rb"\xca\xfe\xba\xbe.{2}\x00[\x2d-\x60]", "application/java-vm"),
        (rb"..\r\n\x00\x00\x00\x00|..\r\n[\x01-\x03]\x00\x00\x00", "application/x-python-code"),
        (rb"d(?:8:announce|7:comment|10:created by|13:creation date|4:info)", "application/x-bittorrent"),
    )
)
"""The first that fits, after those above."""

_STL = "model/stl"
_ENOUGH_TRIANGLES = 20
"""As many as make chance unlikely; a file with fewer has to end behind them."""

_TARGA = re.compile(
    rb".[\x00\x01][\x01\x02\x03\x09\x0a\x0b].{9}(?:[^\x00].|.[^\x00])(?:[^\x00].|.[^\x00])[\x08\x0f\x10\x18\x20]",
    re.DOTALL,
)
_HEADERLESS: dict[str, tuple[re.Pattern[bytes], str]] = {
    "tga": (_TARGA, "image/x-tga"),
    "wbmp": (re.compile(rb"\x00\x00[\x80-\xff]{0,3}[\x01-\x7f][\x80-\xff]{0,3}[\x01-\x7f]"), "image/vnd.wap.wbmp"),
    "gsm": (re.compile(rb"(?:[\xd0-\xdf].{32}){3}", re.DOTALL), "audio/gsm"),
    "vob": (re.compile(rb"\x00\x00\x01[\xb9-\xff]"), "video/mpeg"),
    "mpg": (re.compile(rb"\x00{2,9}\x01[\xb3-\xff]"), "video/mpeg"),
    "mpeg": (re.compile(rb"\x00{2,9}\x01[\xb3-\xff]"), "video/mpeg"),
}
"""By the end of the name."""


def signed_type(head: bytes) -> str | None:
    """What a file that begins with `head` is, by its signature alone.

    >>> signed_type(b"PAR1" + bytes(9)), signed_type(b"words")
    ('application/vnd.apache.parquet', None)
    """
    plain = next((media_type for start, media_type in _BY_START if head.startswith(start)), None)
    if plain:
        return plain
    if head.startswith(b"MZ"):
        return _dos_program(head)
    patterned = next((media_type for pattern, media_type in _BY_PATTERN if pattern.match(head)), None)
    return patterned or (_STL if _is_binary_stl(head) else None)


def headerless_type(head: bytes, extension: str) -> str | None:
    """What a file is that has no signature, where its first bytes can be what its name says.

    >>> headerless_type(b"\\0\\0\\2" + bytes(9) + b"\\x10\\0\\x10\\0\\x18\\0", "tga")
    'image/x-tga'
    """
    pattern, media_type = _HEADERLESS.get(extension, (None, ""))
    return media_type if pattern and pattern.match(head) else None


def _dos_program(head: bytes) -> str:
    place = int.from_bytes(head[60:64], "little")
    return _PROGRAM if head[place : place + 2] in {b"PE", b"NE", b"LE", b"LX"} else "application/x-dosexec"


def _is_binary_stl(head: bytes) -> bool:
    """Whether triangles follow: each ends with two bytes that nobody uses (there is no signature)."""
    count = int.from_bytes(head[80:84], "little")
    if not any(head[84:132]) or (count < _ENOUGH_TRIANGLES and len(head) != 84 + 50 * count):
        return False
    ends = [head[place : place + 2] for place in range(132, 132 + 50 * min(count, _ENOUGH_TRIANGLES), 50)]
    return bool(ends) and all(end == b"\0\0" for end in ends)
