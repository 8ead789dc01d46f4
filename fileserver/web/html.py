"""HTML that cannot be written unescaped: text becomes part of a page by `element` alone.

Source: WHATWG HTML s.13.1 (text may hold no control characters), Unicode UAX 9 (bidirectional text).
"""

import html
from functools import cache
from typing import final

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_VISIBLE = str.maketrans(
    {
        **{code: chr(0x2400 + code) for code in range(0x20)},  # control pictures: a line feed in a name is seen as one
        0x7F: "\N{SYMBOL FOR DELETE}",
        **dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT),
        **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), _REPLACEMENT),  # "photo\u202egpj.exe"
        **dict.fromkeys((*range(0xD800, 0xE000), 0xFFFE, 0xFFFF), _REPLACEMENT),  # bytes of a name (PEP 383)
    }
)


@final
class Html(str):
    """Text that is markup already. Joined or formatted with anything it is plain text again, and escaped."""

    __slots__ = ()


def escape(text: str) -> Html:
    """`text` as it can stand anywhere in a page, in an attribute too; whatever would not be seen is made visible.

    >>> escape('<a href="x">&\\n'), escape("caf\\udce9")
    ('&lt;a href=&quot;x&quot;&gt;&amp;␊', 'caf�')
    """
    if isinstance(text, Html):
        return text
    return Html(html.escape(text.translate(_VISIBLE)))


def element(tag: str, *children: str, **attributes: str | bool | None) -> Html:
    """An element around `children`, each escaped unless it is an element itself.

    Attributes that are None or False are left out; a name's underscores are hyphens, but for one at its end.

    >>> element("a", "A & B", href="?a&b", class_="x", hidden=False)
    '<a href="?a&amp;b" class="x">A &amp; B</a>'
    """
    return Html(f"{opening(tag, **attributes)}{joined(*children)}</{tag}>")


def opening(tag: str, **attributes: str | bool | None) -> Html:
    """A start tag, which is a whole element where the tag has no content.

    >>> opening("input", type="file", required=True)
    '<input type="file" required>'
    """
    words = [tag]
    for name, value in attributes.items():
        if value is True:
            words.append(_attribute(name))
        elif value is not None and value is not False:
            words.append(f'{_attribute(name)}="{escape(value)}"')
    return Html(f"<{' '.join(words)}>")


def joined(*parts: str) -> Html:
    """The parts one after another, each escaped unless it is an element.

    >>> joined("<", opening("br"))
    '&lt;<br>'
    """
    return Html("".join(map(escape, parts)))


@cache
def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")
