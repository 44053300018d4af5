"""One typed Settings, read from the environment, then `.env`, then `.streamlit/secrets.toml`, then defaults."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from core.policy import Strategy

ROOT = Path(__file__).resolve().parent.parent
SECRETS = ROOT / ".streamlit" / "secrets.toml"
SHORTEST_PASSWORD = 12
REDIS_SCHEMES = ("redis", "rediss", "unix")


class BadSetting(Exception):
    """One line: which setting, what is wrong with it, what to do. Never its value."""


def _under_root(path: Path) -> Path:
    return path if path.is_absolute() else ROOT / path


def _long_enough(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and len(secret.get_secret_value()) < SHORTEST_PASSWORD:
        raise ValueError(f"is shorter than {SHORTEST_PASSWORD} characters")
    return secret


def _redis_address(secret: SecretStr | None) -> SecretStr | None:
    if secret is None:
        return None
    try:
        url = urlsplit(secret.get_secret_value())
        usable = url.scheme in REDIS_SCHEMES and bool(url.hostname or url.scheme == "unix") and url.port != 0
    except ValueError:  # whose text quotes what stands in the place of the port
        usable = False
    if not usable:
        raise ValueError("is not the address of a Redis server")
    return secret


def _as_text(found: object) -> str:
    """TOML may hold a bare 1 or true where the environment has text."""
    return str(int(found)) if isinstance(found, bool) else str(found)


Password = Annotated[SecretStr | None, AfterValidator(_long_enough)]
RedisUrl = Annotated[SecretStr | None, AfterValidator(_redis_address)]
Text = Annotated[str, BeforeValidator(_as_text)]
RootedPath = Annotated[Path, AfterValidator(_under_root)]


class _Secrets(TomlConfigSettingsSource):
    """Top-level keys of secrets.toml, in capitals as the environment has them; tables are Streamlit's own."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        found = super()._read_file(file_path)
        return {key.lower(): value for key, value in found.items() if not isinstance(value, dict)}


class _Sourced(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, found: dict[str, Any]) -> dict[str, Any]:
        """A name left empty hides what a later source says, so `NAME=` switches something off."""
        return {name: value for name, value in found.items() if not (isinstance(value, str) and not value.strip())}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (signature is pydantic's)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, _Secrets(settings_cls, SECRETS)


class Settings(_Sourced):
    """What an operator can set, apart from the providers' own settings. Descriptions are the remedies."""

    strategy: Strategy = Field("priority", description="use priority, spread or fastest")
    data_dir: RootedPath = Field(Path("data"), description="give a folder that the app may write to")
    redis_url: RedisUrl = Field(
        None,
        description="give redis://:PASSWORD@HOST:6379/0, rediss:// for TLS or unix://PATH, with signs other than "
        "letters and digits in the password as %XX",
    )
    catalog_local: RootedPath = Field(
        Path("catalog.local.toml"), description="give the path of a TOML file with provider rows"
    )
    admin_password: Password = Field(
        None, description="choose a longer one, or leave it out to sign in with a one-time code from the console"
    )
    api_token: Password = Field(None, description="choose a longer one, or leave it out to get one at every start")
    status_public: bool = Field(False, description="use 1 to publish /api/system_status without a token, else 0")
    retention_days: int = Field(7, ge=1, le=365, description="give a whole number of days from 1 to 365")
    tailored_questions: bool = Field(
        True, description="use 1 to have up to three questions written for each candidate, by one call, else 0"
    )
    answer_deadline: float = Field(
        40.0, ge=5, le=120, description="give the seconds to wait for feedback on one answer, from 5 to 120"
    )


def load_settings() -> Settings:
    """Read every source. Raises BadSetting."""
    try:
        return Settings()
    except ValidationError as error:
        raise _bad(error) from None
    except (SettingsError, ValueError) as error:  # a secrets.toml that is not TOML
        raise BadSetting(f"{SECRETS} cannot be read ({type(error).__name__}): correct or remove it") from None


def load_provider_values(names: Iterable[str]) -> dict[str, str]:
    """Plain values of the named settings that are set anywhere, by name: keys, account ids, base URLs."""
    fields: dict[str, Any] = {name.lower(): (Text | None, None) for name in names}
    found = create_model("ProviderValues", __base__=_Sourced, **fields)()
    return {name.upper(): value.strip() for name, value in found.model_dump().items() if value}


def _bad(error: ValidationError) -> BadSetting:
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    remedy = Settings.model_fields[name].description
    return BadSetting(f"{name.upper()} {first['msg'].removeprefix('Value error, ')}: {remedy}.")
