"""The knobs: what wins over what, what is refused and how it is said, and that the docs tell the same."""

import doctest
from pathlib import Path

import pytest

from fileserver.settings import Described, Settings, SettingsFault, described, unknown_variables, values

DOCS = Path(__file__).parents[1] / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tester's own settings stay out of it."""
    for setting in described():
        monkeypatch.delenv(setting.variable, raising=False)


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    """Where to write a configuration file."""
    return tmp_path / "fileserver.toml"


def test_a_flag_wins_over_the_environment_and_that_over_the_file(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml.write_text("port = 1\nworkers = 2\nhost = '::1'\n")
    monkeypatch.setenv("FILESERVER_PORT", "3")
    monkeypatch.setenv("FILESERVER_WORKERS", "4")
    settings = Settings.load({"port": "5", "config": str(toml)})
    assert (settings.port, settings.workers, settings.host) == (5, 4, "::1")


def test_the_environment_may_name_the_file(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml.write_text("chunk_size = '64KiB'\n")
    monkeypatch.setenv("FILESERVER_CONFIG", str(toml))
    assert Settings.load({}).chunk_size == 64 * 1024


def test_no_file_is_read_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fileserver.toml").write_text("port = 1\n")
    monkeypatch.chdir(tmp_path)
    assert Settings.load({}).port == 8000


def test_a_limit_of_the_file_can_be_lifted_by_a_flag(toml: Path) -> None:
    toml.write_text("max_size = '5MB'\n")
    assert Settings.load({"config": str(toml)}).max_size == 5_000_000
    assert Settings.load({"config": str(toml), "max_size": "unlimited"}).max_size is None


@pytest.mark.parametrize(
    ("text", "size"),
    [("4096", 4096), ("10GiB", 10 * 1024**3), ("10 gib", 10 * 1024**3), ("500MB", 500_000_000), ("1.5KiB", 1536)],
)
def test_sizes_are_bytes_with_a_unit(text: str, size: int) -> None:
    assert Settings.load({"max_size": text}).max_size == size


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("hash_rate", "1MiB", 1024**2),
        ("hash_rate", "0", 0),
        ("hash_rate", "unlimited", None),
        ("scrub_period", "2592000", 2592000.0),
        ("scrub_period", "off", None),
    ],
)
def test_what_runs_in_the_background_has_a_word_for_its_extreme(name: str, text: str, value: float | None) -> None:
    assert Settings.load({name: text}).model_dump()[name] == value


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("https://photos.example", "https://photos.example"),
        ("HTTPS://Photos.Example:443", "https://photos.example"),
        ("http://photos.example:443", "http://photos.example:443"),
        ("http://[::1]:3000 ,, http://localhost:80", "http://[::1]:3000,http://localhost"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("*", "*"),
        ("", None),
    ],
)
def test_origins_are_kept_as_browsers_write_them(text: str, origins: str | None) -> None:
    assert Settings.load({"allowed_origins": text}).allowed_origins == origins


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "many", "--port: "),
        ("port", "65536", "--port: "),
        ("max_size", "-1", "--max-size: "),
        ("max_size", "5 apples", "--max-size: "),
        ("chunk_size", "1", "--chunk-size: "),
        ("workers", "0", "--workers: "),
        ("allow_write", "maybe", "--allow-write/--read-only: "),
        ("root_path", "files", "--root-path: "),
        ("forwarded_allow_ips", "10.0.0.0/8,proxy", "--forwarded-allow-ips: "),
        ("drain_timeout", "nan", "--drain-timeout: "),
        ("drain_timeout", "inf", "--drain-timeout: "),
        ("log_level", "loud", "--log-level: "),
        ("max_uploads", "0", "--max-uploads: "),
        ("upload_lifetime", "0", "--upload-lifetime: "),
        ("upload_lifetime", "inf", "--upload-lifetime: "),
        ("upload_lifetime", "off", "--upload-lifetime: "),
        ("hash_rate", "-1", "--hash-rate: "),
        ("hash_rate", "off", "--hash-rate: "),
        ("scrub_period", "0", "--scrub-period: "),
        ("scrub_period", "monthly", "--scrub-period: "),
        ("allowed_origins", "photos.example", "--allowed-origins: "),
        ("allowed_origins", "https://photos.example/", "--allowed-origins: "),
        ("allowed_origins", "https://me@photos.example", "--allowed-origins: "),
        ("allowed_origins", "https://*.example", "--allowed-origins: "),
        ("allowed_origins", "https://photos.example, null", "--allowed-origins: "),
    ],
)
def test_a_value_that_makes_no_sense_is_named_by_its_flag(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsFault) as fault:
        Settings.load({name: value})
    text = str(fault.value)
    assert text.startswith(said)
    assert value in text
    assert "\n" not in text


def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILESERVER_PORT", "many")
    with pytest.raises(SettingsFault, match=r"^FILESERVER_PORT: "):
        Settings.load({})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("port = 'many'\n", "`port`: "),
        ("prot = 1\n", "unknown key `prot`"),
        ("config = 'other.toml'\n", "unknown key `config`"),
        ("port =\n", "Invalid value"),
    ],
)
def test_a_bad_file_is_named_with_its_key(toml: Path, content: str, said: str) -> None:
    toml.write_text(content)
    with pytest.raises(SettingsFault) as fault:
        Settings.load({"config": str(toml)})
    assert str(fault.value).startswith(f"{toml}: {said}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match=r"none\.toml: No such file"):
        Settings.load({"config": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    ("flags", "may_write"),
    [
        ({}, True),
        ({"host": "127.9.9.9"}, True),
        ({"host": "::1"}, True),
        ({"host": "localhost"}, True),
        ({"uds": "/run/files.sock", "host": "0.0.0.0"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "::"}, False),
        ({"host": "192.168.1.2"}, False),
        ({"host": "files.example"}, False),
        ({"host": "127.0.0.1.example"}, False),
        ({"host": "0.0.0.0", "allow_write": True}, True),
        ({"allow_write": False}, False),
    ],
)
def test_without_credentials_only_this_machine_may_write(flags: dict[str, object], may_write: bool) -> None:
    assert Settings.load(flags).may_write is may_write


def test_the_examples_in_the_text_hold() -> None:
    done = doctest.testmod(values)
    assert done.attempted
    assert done.failed == 0


def test_a_misspelt_variable_is_noticed() -> None:
    environment = {"FILESERVER_PORT": "1", "FILESERVER_READ_ONLY": "1", "PATH": "/bin"}
    assert unknown_variables(environment) == ("FILESERVER_READ_ONLY",)


def test_an_embedding_application_gets_what_it_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FILESERVER_MAX_SIZE", "1")
    monkeypatch.setenv("FILESERVER_CONFIG", str(tmp_path / "none.toml"))
    settings = Settings(root=tmp_path, chunk_size=4096)
    assert (settings.root, settings.chunk_size, settings.max_size) == (tmp_path, 4096, None)


def test_the_documentation_lists_the_settings_as_they_are() -> None:
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    rows = [row_of(setting) for setting in described()]
    assert [line for line in lines if line.startswith("| `")] == rows, "the rows are:\n" + "\n".join(rows)


def row_of(setting: Described) -> str:
    """The setting's row in the table of docs/configuration.md."""
    cells = (f"`{setting.flag}`", f"`{setting.variable}`", setting.value.lower(), setting.default, setting.description)
    return f"| {' | '.join(cells)} |"
