"""Programs, fonts, models, keys and captures: their first bytes, as the formats' documents write them."""

import struct

Table = dict[str, tuple[str, str | bytes]]

_PE = "application/vnd.microsoft.portable-executable application/x-dosexec application/x-msdownload"
_REST = bytes(range(1, 200)) * 2
_STUB = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0" + bytes(44) + b"\x80\0\0\0" + bytes(64)
_ELF = b"\x7fELF\2\1\1\0" + bytes(8)
_PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
_PS = b"%!PS-Adobe-3.0\n%%Title: a\n%%EndComments\n/Times 12 selectfont 72 72 moveto (Hello) show showpage\n%%EOF\n"
_EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nnewpath 0 0 9 9 rectfill\n%%EOF\n"
_SFNT = struct.pack(">4H", 1, 16, 0, 0) + b"cmap\0\0\0\0\0\0\0\x1c\0\0\0\x10" + bytes(60)

PROGRAMS: Table = {
    "tool": (
        "application/x-pie-executable application/x-executable application/x-elf",
        _ELF + struct.pack("<HHIQQQI6H", 2, 62, 1, 0x401000, 64, 0, 0, 64, 56, 0, 64, 0, 0) + bytes(90),
    ),
    "library.so": (
        "application/x-sharedlib application/x-elf",
        _ELF + struct.pack("<HHIQQQI6H", 3, 62, 1, 0, 64, 0, 0, 64, 56, 0, 64, 0, 0) + bytes(90),
    ),
    "part.o": (
        "application/x-object application/x-elf application/x-relocatable",
        _ELF + struct.pack("<HHIQQQI6H", 1, 62, 1, 0, 0, 0, 0, 64, 0, 0, 64, 0, 0) + bytes(90),
    ),
    "tool.exe": (_PE, _STUB + b"PE\0\0\x64\x86\2\0" + bytes(12) + b"\xf0\0\x22\0\x0b\2" + bytes(240)),
    "library.dll": (_PE, _STUB + b"PE\0\0\x4c\1\2\0" + bytes(12) + b"\xe0\0\2\x21\x0b\1" + bytes(240)),
    "tool.macho": (
        "application/x-mach-binary application/x-mach-o",
        b"\xcf\xfa\xed\xfe\7\0\0\1\3\0\0\0\2\0\0\0" + bytes(90),
    ),
    "Main.class": (
        "application/java-vm application/x-java-applet application/x-java application/x-java-vm",
        b"\xca\xfe\xba\xbe\0\0\0\x3d\0\x1d\x0a\0\2" + _REST,
    ),
    "classes.dex": (
        "application/vnd.android.dex application/x-dex application/octet-stream+dex",
        b"dex\n035\0" + _REST,
    ),
    "module.wasm": ("application/wasm", b"\0asm\1\0\0\0\1\4\1\x60\0\0"),
    "module.pyc": ("application/x-python-code application/x-bytecode.python", b"\xa7\r\r\n\0\0\0\0" + _REST),
    "script.luac": ("application/x-lua-bytecode", b"\x1bLua\x54\0\x19\x93\r\n\x1a\n" + _REST),
    "part.bc": ("application/x-llvm-bitcode application/x-llvm", b"BC\xc0\xde\x35\x14\0\0" + _REST),
    "letters.ttf": ("font/ttf font/sfnt application/font-sfnt application/x-font-ttf", b"\0\1\0\0" + _SFNT),
    "letters.otf": ("font/otf application/vnd.ms-opentype font/sfnt", b"OTTO" + _SFNT),
    "letters.ttc": ("font/collection", b"ttcf\0\1\0\0\0\0\0\1\0\0\0\x10" + b"\0\1\0\0" + _SFNT),
    "letters.woff": ("font/woff application/font-woff", b"wOFF\0\1\0\0" + struct.pack(">IHH", 120, 1, 0) + bytes(90)),
    "letters.woff2": ("font/woff2", b"wOF2\0\1\0\0" + struct.pack(">IHH", 120, 1, 0) + bytes(90)),
    "letters.pfb": ("application/x-font-type1", b"\x80\1\x20\0\0\0%!PS-AdobeFont-1.0: Letters 1.0\n" + _REST),
    "letters.eot": (
        "application/vnd.ms-fontobject",
        struct.pack("<IIIIB9xBBIHH", 200, 100, 0x20001, 0, 0, 1, 0, 400, 0, 0x504C) + bytes(160),
    ),
    "paper.pdf": ("application/pdf", _PDF),
    "paper.ps": ("application/postscript", _PS),
    "paper.eps": ("application/postscript image/x-eps image/eps", _EPS),
    "paper.ai": ("application/pdf application/postscript application/illustrator", _PDF),
    "paper.dvi": (
        "application/x-dvi",
        b"\xf7\2\1\x83\x92\xc0\x1c\x3b\0\0\0\0\3\xe8\x1b TeX output 2024.01.01:0000" + _REST,
    ),
    "book.mobi": (
        "application/x-mobipocket-ebook application/vnd.amazon.ebook",
        b"Book".ljust(32, b"\0") + bytes(28) + b"BOOKMOBI" + bytes(90),
    ),
    "help.chm": ("application/vnd.ms-htmlhelp application/x-chm", b"ITSF\3\0\0\0\x60\0\0\0\1\0\0\0" + bytes(90)),
    "capture.pcap": ("application/vnd.tcpdump.pcap", b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(8) + b"\0\0\4\0\1\0\0\0"),
    "capture.pcapng": (
        "application/x-pcapng application/vnd.tcpdump.pcap",
        b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0" + b"\xff" * 8 + b"\x1c\0\0\0",
    ),
    "film.torrent": (
        "application/x-bittorrent",
        b"d8:announce26:http://tracker.example/ann4:infod6:lengthi1e4:name1:aee",
    ),
    "history.bundle": (
        "application/x-git-bundle application/x-git",
        b"# v2 git bundle\n" + b"a" * 40 + b" HEAD\n\nPACK\0\0\0\2\0\0\0\0" + _REST,
    ),
    "pack-1.pack": ("application/x-git application/x-git-pack", b"PACK\0\0\0\2\0\0\0\1" + _REST),
    "disk.qcow2": ("application/x-qemu-disk", b"QFI\xfb\0\0\0\3" + bytes(90)),
    "disk.vmdk": ("application/x-vmdk-disk application/x-vmdk", b"KDMV\1\0\0\0\3\0\0\0" + bytes(500)),
    "disk.vdi": (
        "application/x-virtualbox-vdi application/x-vdi-disk",
        b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0") + b"\x7f\x10\xda\xbe\1\0\1\0" + bytes(90),
    ),
    "scene.blend": ("application/x-blender", b"BLENDER-v300REND" + bytes(90)),
    "scene.glb": (
        "model/gltf-binary",
        b"glTF\2\0\0\0\x60\0\0\0\x4c\0\0\0JSON" + b'{"asset":{"version":"2.0"}}'.ljust(76),
    ),
    "part.stl": (
        "model/stl application/sla application/vnd.ms-pki.stl",
        b"exported part".ljust(80, b"\0") + struct.pack("<I", 2) + struct.pack("<12fH", *range(12), 0) * 2,
    ),
    "text.stl": (
        "model/stl application/sla",
        b"solid part\n facet normal 0 0 1\n  outer loop\n   vertex 0 0 0\n   vertex 1 0 0\n   vertex 0 1 0\n"
        b"  endloop\n endfacet\nendsolid part\n",
    ),
    "scan.ply": (
        "application/ply model/ply application/x-ply",
        b"ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty float x\nend_header\n\0\0\x80\x3f",
    ),
    "scene.fbx": (
        "application/vnd.autodesk.fbx model/fbx application/fbx",
        b"Kaydara FBX Binary  \0\x1a\0\xe8\x1c\0\0" + bytes(90),
    ),
    "plan.dwg": ("image/vnd.dwg application/acad", b"AC1027\0\0\0\0\0\x7d\1\xe0\2\0\0" + _REST),
    "plan.dxf": (
        "image/vnd.dxf application/dxf application/x-dxf",
        b"  0\nSECTION\n  2\nHEADER\n  9\n$ACADVER\n  1\nAC1027\n  0\nENDSEC\n  0\nEOF\n",
    ),
    "key.pem": (
        "application/x-pem-file application/pem-certificate-chain text/plain application/x-x509-ca-cert",
        b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUT2\n-----END CERTIFICATE-----\n",
    ),
    "secret.asc": (
        "application/pgp-encrypted application/pgp text/pgp application/pgp-keys",
        b"-----BEGIN PGP MESSAGE-----\n\nhQEMA7Zk\n=abcd\n-----END PGP MESSAGE-----\n",
    ),
    "link.lnk": (
        "application/x-ms-shortcut application/x-win-lnk",
        b"L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46" + bytes(90),
    ),
    "settings.plist": ("application/x-plist application/x-bplist", b"bplist00\xd1\1\2Ta\x11\0" + bytes(40)),
    "scan.dcm": ("application/dicom", bytes(128) + b"DICM\2\0\0\0UL\4\0" + bytes(90)),
    "game.nes": ("application/x-nes-rom", b"NES\x1a\2\1\1\0" + bytes(8) + _REST),
    "noise.bin": ("application/octet-stream", bytes(7 * number * number % 251 for number in range(4096))),
    "zeros": ("application/octet-stream", bytes(4096)),
}
