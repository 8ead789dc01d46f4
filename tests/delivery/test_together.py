"""Parts that end each other."""

import anyio
import pytest

from fileserver.delivery.together import together


async def test_all_parts_are_done_and_what_has_no_end_is_cancelled() -> None:
    done: list[str] = []

    async def part() -> None:
        await anyio.sleep(0)
        done.append("part")

    async def endless() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            done.append("endless")

    await together(part, part, meanwhile=(endless,))
    assert done == ["part", "part", "endless"]


@pytest.mark.parametrize("is_endless", [False, True])
async def test_the_first_to_fail_ends_the_others_and_is_raised_as_it_is(is_endless: bool) -> None:
    async def failing() -> None:
        await anyio.sleep(0)
        raise KeyError("first")

    parts = (anyio.sleep_forever, failing) if not is_endless else (anyio.sleep_forever,)
    with pytest.raises(KeyError, match="first"):
        await together(*parts, meanwhile=(failing,) if is_endless else ())


async def test_a_cancellation_from_outside_passes_through() -> None:
    with anyio.move_on_after(0.01) as scope:
        await together(anyio.sleep_forever)
    assert scope.cancelled_caught
