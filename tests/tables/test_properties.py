"""Random tables through random plans: the engine does what the plain model does, however the bytes come."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fileserver.tables import Engine, HeaderFault, RowFault, parse_plan
from tests.tables.model import Outcome, Wish, transformed
from tests.tables.running import output_of

_NASTY = ["", '""', "007", "1e5", "12345678901234567890", " x ", '" x "', '"needless"', '"a,b"', '"a;b"', "a;b", "a|b"]
_NASTY += ['"line\nbreak"', '"cr\r\nlf"', '"cr\ralone"', '"5"" pipe"', '""""', '"tab\there"', '"\x01"', '"a\tb,""c"""']
_NASTY += [
    "NULL",
    "-0.0",
    "+.5",
    " 5\t",
    "1_0",
    "inf",
    "nan",
    "1e-3",
    "5.",
    "Köln",
    "Żółć",
    "٣",
    "😀",
    "\u2028",
    "\\",
    "%s",
    "'",
]

_cells = st.sampled_from(_NASTY).filter(lambda cell: "," not in cell or cell.startswith('"'))
_ends = st.sampled_from(["\n", "\n", "\r\n"])
_names = st.sampled_from(["id", "name", '"a,b"', '"x:y"', "qty", '"q""q"', "Größe", '" s "', '"new\nline"', '"plain"'])


@st.composite
def _tables(draw: st.DrawFn) -> tuple[bytes, list[str]]:
    """A well-formed comma table with a header, and the names of its columns."""
    header = draw(st.lists(_names, min_size=1, max_size=4, unique=True))
    rows = draw(st.lists(st.lists(_cells, min_size=len(header), max_size=len(header)), max_size=6))
    lines = [",".join(row) + draw(_ends) for row in [header, *rows]]
    text = draw(st.sampled_from(["", "\ufeff"])) + "".join(lines)
    if draw(st.booleans()) and (len(header) > 1 or text.rstrip("\r\n") + "\n" in (text, text.replace("\r\n", "\n"))):
        text = text.removesuffix("\n").removesuffix("\r")
    names = [name[1:-1].replace('""', '"') if name.startswith('"') else name for name in header]
    return text.encode(), names


@st.composite
def _wishes(draw: st.DrawFn, names: list[str]) -> Wish:
    chosen = st.sampled_from(names)
    literals: list[Decimal | str] = [
        Decimal(5),
        Decimal("1e5"),
        Decimal(12345678901234567891),
        "Köln",
        "",
        " x ",
        "a,b",
    ]
    filters = st.tuples(chosen, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.sampled_from(literals))
    select = draw(st.none() | st.lists(chosen, min_size=1, unique=True))
    renamed = st.dictionaries(st.sampled_from(select or names), st.sampled_from(["id", 'n"n', "n,n", "n;n", "id_2"]))
    output_format = draw(st.sampled_from(["csv", "csv", "ndjson"]))
    return Wish(
        filters=tuple(draw(st.lists(filters, max_size=2))),
        limit=draw(st.none() | st.integers(0, 4)),
        select=tuple(select) if select else None,
        rename=draw(renamed),
        format=output_format,
        output_delimiter=draw(st.sampled_from([None, ";", "|", "tab"])) if output_format == "csv" else None,
        skip=draw(st.booleans()),
    )


def _outcome(table: bytes, wish: Wish, cuts: list[int]) -> Outcome:
    engine = Engine(parse_plan(wish.parameters()))
    bounds = [0, *sorted({cut % (len(table) + 1) for cut in cuts}), len(table)]
    output = b""
    try:
        for start, stop in pairwise(bounds):
            output += b"".join(engine.feed(table[start:stop]))
        output += b"".join(engine.finish())
    except RowFault as fault:
        return Outcome(b"", engine.counts, ("RowFault", fault.row, fault.line))
    except HeaderFault:
        return Outcome(b"", engine.counts, ("HeaderFault", 0, 0))
    return Outcome(output, engine.counts)


def _agree(ours: Outcome, expected: Outcome) -> None:
    assert ours.fault == expected.fault
    if expected.fault is None:
        assert (ours.output, ours.counts) == (expected.output, expected.counts)


_cuts = st.lists(st.integers(0, 10_000), max_size=8)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), cuts=_cuts)
def test_a_random_plan_over_a_random_table_does_what_the_model_does(data: st.DataObject, cuts: list[int]) -> None:
    table, names = data.draw(_tables())
    wish = data.draw(_wishes(names))
    expected = transformed(table, _as_model(wish))
    _agree(_outcome(table, wish, cuts), expected)


def _as_model(wish: Wish) -> Wish:
    return Wish(**{**vars(wish), "output_delimiter": "\t"}) if wish.output_delimiter == "tab" else wish


_SCRAPS = [
    b"a",
    b"1",
    b",",
    b",",
    b'"',
    b'""',
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b";",
    b"\0",
    b"\xff",
    b"\xfe",
    "ö".encode(),
    b" ",
]


@settings(max_examples=600, deadline=None)
@given(
    head=st.sampled_from([b"", b"a\n", b"a,b\n", b"a,b\r\n", b"\n\na,b\n", b"\xef\xbb\xbfa,b\n"]),
    scraps=st.lists(st.sampled_from(_SCRAPS), max_size=40),
    cuts=_cuts,
    header=st.booleans(),
    skip=st.booleans(),
    limit=st.none() | st.integers(0, 3),
)
def test_any_bytes_at_all_are_read_as_the_model_reads_them(
    head: bytes, scraps: list[bytes], cuts: list[int], header: bool, skip: bool, limit: int | None
) -> None:
    table = head + b"".join(scraps)
    wish = Wish(header=header, skip=skip, limit=limit)
    _agree(_outcome(table, wish, cuts), transformed(table, wish))


@settings(max_examples=100, deadline=None)
@given(table=_tables())
def test_a_table_with_one_kind_of_line_end_passes_byte_for_byte(table: tuple[bytes, list[str]]) -> None:
    text = table[0].removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    assert output_of(text, {"delimiter": ","}) == text
