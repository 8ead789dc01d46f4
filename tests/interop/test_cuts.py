"""Two hundred times the network breaks in the middle, and each file comes whole all the same."""

import hashlib
import random

import pytest

from tests.interop.javascript import upload
from tests.interop.resuming import DRAFT, TUS, Dialect, Sender, created
from tests.support.cutting_proxy import cutting_proxy
from tests.support.files import MIB, known_bytes, make_file, sha256_of
from tests.support.server import Server, wait_until

# Twice as much as comes through, on average, before the last cut.
_SIZE = 64 * MIB + 7
_PIECE = MIB // 2
_ANSWERS = 1024
_CUTS = {"tus": 70, "draft": 70, "tus-js-client": 60}


@pytest.mark.parametrize(("name", "dialect"), [("tus", TUS), ("draft", DRAFT)])
def test_a_file_comes_whole_however_often_it_is_cut(store: Server, name: str, dialect: Dialect) -> None:
    content = known_bytes(_SIZE)
    path = created(store.port, dialect, f"{name}.bin", _SIZE)
    with cutting_proxy(store.port, cuts=_CUTS[name], most_sent=_PIECE, most_answered=_ANSWERS) as proxy:
        sender = Sender(proxy.port, path, content, dialect, random.Random(1), _PIECE)
        sender.send()
        assert len(proxy.done) == _CUTS[name]
    assert sha256_of(store.root / f"{name}.bin") == hashlib.sha256(content).hexdigest()
    wait_until(store.drafts, lambda drafts: drafts == [])


def test_tus_js_client_comes_through_by_its_retries(store: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    film = make_file(tmp_path_factory.mktemp("cut") / "film.bin", _SIZE)
    path = created(store.port, TUS, "tus-js-client.bin", _SIZE)
    with cutting_proxy(store.port, cuts=_CUTS["tus-js-client"], most_sent=_PIECE, most_answered=_ANSWERS) as proxy:
        url = f"http://127.0.0.1:{proxy.port}{path}"
        sent = upload(film.path, uploadUrl=url, chunkSize=_PIECE // 2, retryDelays=[1] * _CUTS["tus-js-client"])
        assert sent.ended == "success", sent.error
        assert len(proxy.done) == _CUTS["tus-js-client"]
    assert sent.offsets == sorted(sent.offsets)
    assert sha256_of(store.root / "tus-js-client.bin") == film.sha256
    wait_until(store.drafts, lambda drafts: drafts == [])
