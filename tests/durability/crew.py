"""Clients that change the files of a server until it fails them, and hold the next one to what they were told."""

import math
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.durability.changes import Change, Delete, Form, Ietf, Put, Resumable, Tus
from tests.durability.promises import check_answers, check_catalogue, check_drafts, check_files
from tests.support.files import MIB, known_bytes
from tests.support.server import Server
from tests.support.wire import Answer, Truncated

KINDS: tuple[type[Change], ...] = (Put, Form, Tus, Ietf)
_MAX_SIZE = 3 * MIB
_USUAL_KEYS = 8  # that a client has at a time


class Client:
    """Stores files in one way under keys of its own, and removes some.

    `held` is what it was told is there, `undecided` what it has begun and was not told the end of.
    """

    def __init__(self, kind: type[Change], chance: random.Random) -> None:
        self.held: dict[str, str] = {}
        self.undecided: list[Change] = []
        self.refusals: list[Answer] = []
        self._kind = kind
        self._chance = chance
        self._made = 0

    def work(self, port: int, is_over: threading.Event) -> None:
        """Change one file after the other until it is over; uploads that were cut off before come first.

        One that was cut off before it had an address may be there whole, and a second would be refused: it waits for
        `settle`.
        """
        waiting = [change for change in self.undecided if isinstance(change, Resumable) and change.target is not None]
        while not is_over.is_set():
            self.attempt(waiting.pop() if waiting else self._next(), port)

    def settle(self, server: Server, found: dict[str, str]) -> None:
        """Learn what came of the undecided changes, and go on with uploads that have an address, now or later."""
        for change in tuple(self.undecided):
            self._take(change.key, found.get(change.key))
            if isinstance(change, Delete) and change.key in self.held:
                self.attempt(change, server.port)
            elif isinstance(change, Resumable) and change.target is not None:
                if self._chance.random() < 0.5:
                    self.attempt(change, server.port)
            else:
                self.undecided.remove(change)

    def finish(self, port: int) -> None:
        """Bring all uploads to their end."""
        for change in tuple(self.undecided):
            self.attempt(change, port)

    def attempt(self, change: Change, port: int) -> None:
        """Carry out a change as far as the server lets it, and note what it says."""
        if change not in self.undecided:
            self.undecided.append(change)
        try:
            answer = change.run(port)
        except (OSError, Truncated):
            return
        if answer.status < 300:
            self._take(change.key, change.goal)
        else:
            self.refusals.append(answer)
        if answer.status < 500:
            self.undecided.remove(change)

    def _take(self, key: str, sha256: str | None) -> None:
        if sha256 is None:
            self.held.pop(key, None)
        else:
            self.held[key] = sha256

    def _next(self) -> Change:
        busy = {change.key for change in self.undecided}
        free = sorted(self.held.keys() - busy)
        if self._chance.random() * len(free) < _USUAL_KEYS / 2:
            self._made += 1
            return self._stored(f"{self._kind.__name__}/{self._made}/file.bin")
        key = self._chance.choice(free)
        if self._chance.random() < 0.3:
            return Delete(key, None, self._chance, is_new=False)
        return self._stored(key)

    def _stored(self, key: str) -> Change:
        size = int(math.exp(self._chance.uniform(0, math.log(_MAX_SIZE))))
        content = known_bytes(size, seed=self._chance.getrandbits(32))
        return self._kind(key, content, self._chance, is_new=key not in self.held)


class Crew:
    """A client of each kind at work on one root."""

    def __init__(self, seed: int, kinds: tuple[type[Change], ...] = KINDS) -> None:
        self.clients = [Client(kind, random.Random(f"{seed} {number}")) for number, kind in enumerate(kinds)]

    @property
    def held(self) -> dict[str, str]:
        """What the clients were told is there."""
        return {key: sha256 for client in self.clients for key, sha256 in client.held.items()}

    @property
    def undecided(self) -> list[Change]:
        """What they were not told the end of."""
        return [change for client in self.clients for change in client.undecided]

    @property
    def refusals(self) -> list[Answer]:
        """What they were refused."""
        return [answer for client in self.clients for answer in client.refusals]

    def work_until(self, blow: Callable[[], None], server: Server, *, after_s: float) -> None:
        """Have all clients work, and strike at a moment when they do."""
        is_over = threading.Event()
        with ThreadPoolExecutor(len(self.clients)) as threads:
            working = [threads.submit(client.work, server.port, is_over) for client in self.clients]
            try:
                time.sleep(after_s)
            finally:
                is_over.set()
                blow()
        for each in working:
            each.result()

    def look(self, server: Server) -> None:
        """Hold a server that nobody is writing to to every promise. Raises BrokenPromise."""
        found = check_files(server.root, self.held, self.undecided)
        check_drafts(server.root, self.undecided)
        check_catalogue(server.root, found, self.undecided)
        undecided = {change.key for change in self.undecided}
        check_answers(server, {key: sha256 for key, sha256 in self.held.items() if key not in undecided})

    def settle(self, server: Server) -> None:
        """Find out what came of the undecided; uploads with an address go on, now or later. Raises BrokenPromise."""
        found = check_files(server.root, self.held, self.undecided)
        undecided = {change.key for change in self.undecided}
        for client in self.clients:
            client.settle(server, found)
        check_answers(server, {key: sha256 for key, sha256 in self.held.items() if key in undecided})

    def finish(self, server: Server) -> None:
        """Bring all uploads to their end and look at everything once more. Raises BrokenPromise."""
        for client in self.clients:
            client.finish(server.port)
        assert self.undecided == []
        self.look(server)
