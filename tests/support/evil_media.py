"""Files that would have FFmpeg open or fetch others, whatever they are called."""

import struct
from pathlib import Path

CLAIMS = ("film.mp4", "film.ts", "song.mp3", "picture.jpg", "list.m3u8")
"""What an evil file calls itself."""


def evil_texts(secret: Path, url: str) -> dict[str, bytes]:
    """Contents by the demuxer that they are for: each names a local film, or an address."""
    inside = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
    key = f'#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXT-X-KEY:METHOD=AES-128,URI="{url}/key"\n#EXTINF:9,\n{secret}\n'
    master = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}/media.m3u8\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f'<Representation id="1" bandwidth="1"><BaseURL>{url}/film.mp4</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>"
    )
    imf = f'<?xml version="1.0"?><AssetMap><ChunkList><Chunk><Path>{secret}</Path></Chunk></ChunkList></AssetMap>'
    texts = {
        "hls-file": inside.format(secret),
        "hls-scheme": inside.format(f"file://{secret}"),
        "hls-http": inside.format(f"{url}/segment.ts"),
        "hls-concat": inside.format(f"concat:{url}/a|{secret}"),
        "hls-crypto": key,
        "hls-master": master,
        "concat": f"ffconcat version 1.0\nfile '{secret}'\n",
        "concat-http": f"ffconcat version 1.0\nfile '{url}/film.mp4'\n",
        "dash": dash,
        "imf": imf,
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\na=control:{url}\nm=video 9 RTP/AVP 33\n",
        "edl": f"# mpv EDL v0\n{secret},0,10\n",
        "asx": f'<asx version="3.0"><entry><ref href="{url}/film.wmv"/></entry></asx>',
        "pls": f"[playlist]\nFile1={url}/song.mp3\nNumberOfEntries=1\n",
        "image2": str(secret.with_name("picture%d.png")),
        "lavfi": f"movie={secret}",
        "rtsptext": f"RTSPtextRTSP://{url.removeprefix('http://')}/film",
        "asf-redirector": f"[Reference]\nRef1={url}/film.asf\n",
        "avisynth": f'DirectShowSource("{secret}")\n',
    }
    return {name: text.encode() for name, text in texts.items()} | {"mov-reference": _mov_reference(secret)}


def _mov_reference(secret: Path) -> bytes:
    """A QuickTime film whose samples lie in another file, by its path."""
    entry = _box(b"url ", struct.pack(">I", 0) + f"file://{secret}".encode() + b"\0")
    references = _box(b"dref", struct.pack(">II", 0, 1) + entry)
    handler = _box(b"hdlr", struct.pack(">II4s12x", 0, 0, b"vide") + b"\0")
    sample = _box(b"avc1", bytes(6) + struct.pack(">H", 1) + bytes(70))
    numbers = {b"stts": (0, 1, 1, 1), b"stsc": (0, 1, 1, 1, 1), b"stsz": (0, 64, 1), b"stco": (0, 1, 0)}
    tables = [_box(kind, struct.pack(f">{len(each)}I", *each)) for kind, each in numbers.items()]
    described = _box(b"stsd", struct.pack(">II", 0, 1) + sample)
    media = _box(b"minf", _box(b"dinf", references) + _box(b"stbl", described + b"".join(tables)))
    clock = _box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 1000, 1000, 0, 0))
    track = _box(b"trak", _box(b"mdia", clock + handler + media))
    return _box(b"ftyp", b"qt  \0\0\0\0qt  ") + _box(b"moov", track) + _box(b"mdat", bytes(64))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content
