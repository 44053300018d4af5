"""Settings: where they come from, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from core import settings
from core.app import current
from core.settings import BadSetting, load_provider_values, load_settings


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder whose .env and secrets.toml are read in place of the real ones."""
    monkeypatch.setitem(settings._Sourced.model_config, "env_file", tmp_path / ".env")
    monkeypatch.setitem(settings.Settings.model_config, "env_file", tmp_path / ".env")
    monkeypatch.setattr(settings, "SECRETS", tmp_path / "secrets.toml")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RETENTION_DAYS", "soon", "a whole number of days from 1 to 365"),
        ("RETENTION_DAYS", "0", "a whole number of days from 1 to 365"),
        ("STATUS_PUBLIC", "perhaps", "use 1 to publish"),
        ("STRATEGY", "quickest", "use priority, spread or fastest"),
        ("STRATEGY", "Spread", "use priority, spread or fastest"),
        ("ANSWER_DEADLINE", "9999", "from 5 to 120"),
        ("ADMIN_PASSWORD", "hunter2-CANARY"[:11], "shorter than 12 characters"),
        ("API_TOKEN", "CANARY", "shorter than 12 characters"),
    ],
)
def test_a_wrong_value_is_one_line_with_name_and_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(name)
    assert says in message
    assert "\n" not in message
    assert "CANARY" not in message


@pytest.mark.parametrize("value", ["priority", "spread", "fastest"])
def test_the_strategy_reaches_the_balancer(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert current().balancer.strategy == "priority"
    monkeypatch.setenv("STRATEGY", value)
    current.cache_clear()
    assert current().balancer.strategy == value


def test_environment_beats_dotenv_beats_secrets(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    (files / "secrets.toml").write_text(
        'RETENTION_DAYS = 3\nANSWER_DEADLINE = 33\nGROQ_API_KEY = "from-secrets"\n'
    )
    (files / ".env").write_text("RETENTION_DAYS=4\n")
    for name in ("RETENTION_DAYS", "ANSWER_DEADLINE", "GROQ_API_KEY"):
        monkeypatch.delenv(name)
    assert (load_settings().retention_days, load_settings().answer_deadline) == (4, 33)
    assert load_provider_values(["GROQ_API_KEY"]) == {"GROQ_API_KEY": "from-secrets"}
    monkeypatch.setenv("RETENTION_DAYS", "5")
    assert load_settings().retention_days == 5


def test_an_empty_value_switches_off_what_a_file_says(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    (files / ".env").write_text("GROQ_API_KEY=from-dotenv\n")
    monkeypatch.setenv("GROQ_API_KEY", "")
    assert load_provider_values(["GROQ_API_KEY"]) == {}


def test_bare_toml_values_are_taken(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    monkeypatch.delenv("ALLOW_LOCAL_UPSTREAMS")
    (files / "secrets.toml").write_text("ALLOW_LOCAL_UPSTREAMS = true\n[auth]\nclient_id = 'x'\n")
    assert load_provider_values(["ALLOW_LOCAL_UPSTREAMS"]) == {"ALLOW_LOCAL_UPSTREAMS": "1"}


def test_a_broken_secrets_file_is_named(files: Path) -> None:
    (files / "secrets.toml").write_text('ADMIN_PASSWORD = "CANARY')
    with pytest.raises(BadSetting, match=r"secrets\.toml cannot be read") as caught:
        load_settings()
    assert "CANARY" not in str(caught.value)


def test_secrets_never_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", "CANARY-password-1")
    loaded = load_settings()
    assert loaded.admin_password == SecretStr("CANARY-password-1")
    assert "CANARY" not in f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.model_dump_json()}"


def test_relative_folders_stand_under_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", "elsewhere")
    assert load_settings().data_dir == settings.ROOT / "elsewhere"
