"""Names for columns in formats that know each column by its name."""

from collections.abc import Sequence


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, with a number behind every repeated one that passes over names which are taken.

    >>> unique_names(["a", "a", "a_2", "a"])
    ['a', 'a_3', 'a_2', 'a_4']
    """
    taken = set(names)
    numbers: dict[str, int] = {}
    unique: list[str] = []
    for name in names:
        candidate = name
        while name in numbers and candidate in taken:
            numbers[name] += 1
            candidate = f"{name}_{numbers[name]}"
        numbers.setdefault(name, 1)
        taken.add(candidate)
        unique.append(candidate)
    return unique
