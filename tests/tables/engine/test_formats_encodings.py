"""CSV in the encodings of the world."""

import pytest

from fileserver.tables.engine.formats import load_encodings
from fileserver.tables.faults import PlanFault, TableFault
from fileserver.tables.plan import Output
from tests.tables.engine.printing import VALUES, printed, read_csv, texts

ROWS = [(value, "é") for value in VALUES]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "UTF8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be", "gb18030", "utf-7"]
)
def test_encodings_of_all_characters_hold_all_values(encoding: str) -> None:
    table = printed(Output(encoding=encoding, header=True), texts("a", "ü"), ROWS, batch_size=1)
    assert read_csv(table.decode(encoding)) == [["a", "ü"], *map(list, ROWS)]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac-roman", "iso8859-15"])
def test_small_encodings_hold_what_they_have(encoding: str) -> None:
    assert printed(Output(encoding=encoding), texts("ä"), [("é",)]) == "ä\né\n".encode(encoding)


def test_an_encoding_with_states_is_brought_to_its_end() -> None:
    table = printed(Output(encoding="iso2022_jp", header=False, line_ending="lf"), texts("a"), [("東",)])
    assert table.decode("iso2022_jp") == "東\n"


def test_a_character_without_a_place_is_a_fault_and_no_question_mark() -> None:
    with pytest.raises(TableFault, match=r"cp1252 has no '東' \(U\+6771\).*Köln,東京"):
        printed(Output(encoding="cp1252"), texts("a", "b"), [("Köln", "東京")])


@pytest.mark.parametrize(
    ("encoding", "mark", "unmarked"),
    [
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-8-sig", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16", b"\xff\xfe", "utf-16-le"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
    ],
)
def test_there_is_one_byte_order_mark(encoding: str, mark: bytes, unmarked: str) -> None:
    table = printed(Output(encoding=encoding, bom=True), texts("a"), [("b",)])
    assert table == mark + "a\nb\n".encode(unmarked)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "shift_jis"])
def test_other_encodings_have_no_byte_order_mark(encoding: str) -> None:
    with pytest.raises(PlanFault) as caught:
        printed(Output(encoding=encoding, bom=True), texts("a"), [])
    assert caught.value.field == "output.bom"


@pytest.mark.parametrize(
    "encoding", ["none", "", "\0", "base64", "rot13", "idna", "punycode", "unicode_escape", "../x"]
)
def test_what_is_no_encoding_of_files_is_a_fault_of_the_plan(encoding: str) -> None:
    with pytest.raises(PlanFault) as caught:
        printed(Output(encoding=encoding), texts("a"), [])
    assert caught.value.field == "output.encoding"


@pytest.mark.parametrize("name", ["ndjson", "json", "parquet", "arrow", "xlsx"])
@pytest.mark.parametrize("wish", [{"encoding": "cp1252"}, {"bom": True}, {"end_record": True}])
def test_a_wish_that_a_format_cannot_hear_is_a_fault_of_the_plan(name: str, wish: dict[str, object]) -> None:
    if name == "ndjson" and "end_record" in wish:
        return
    with pytest.raises(PlanFault):
        printed(Output.model_validate({"format": name, **wish}), texts("a"), [])


def test_all_encodings_can_be_loaded_beforehand() -> None:
    load_encodings()
