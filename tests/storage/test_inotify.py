"""The descriptor that everything waits on never blocks, whatever the library opens."""

import os

from asyncinotify import InitFlags

from storage.inotify import Instance


def test_an_instance_does_not_block_where_the_library_lets_it() -> None:
    with Instance(flags=InitFlags.CLOEXEC) as inotify:
        assert not os.get_blocking(inotify.fd)


def test_an_instance_that_never_was_can_be_closed() -> None:
    Instance.__new__(Instance).close()
