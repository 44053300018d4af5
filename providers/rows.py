"""The shape of one catalogue row, and the routes that it makes. What does not fit is refused by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, Strict
from pydantic import model_validator as validator
from pydantic.dataclasses import dataclass

from providers.contracts import ChargeRules, Does, Free, Limit, Route, Tier, Unit, Window
from providers.told import Tell

Dialect = Literal["openai-chat", "gemini", "cloudflare", "openrouter", "replicate"]
TRANSCRIBING: frozenset[Dialect] = frozenset({"openai-chat", "cloudflare"})


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a time zone: write an IANA name such as UTC or America/Los_Angeles") from None
    return name


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error:
        raise ValueError("is not a regular expression: correct it") from None
    return text


def _switches(value: object) -> object:
    if isinstance(value, dict) and not all(isinstance(item, bool) for item in value.values()):
        raise ValueError("should only hold true and false: write them without quotes")
    return value


def _json(value: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("holds what JSON has no word for (a date, inf, nan): write it as a string") from None
    return value


Text = Annotated[str, Field(min_length=1)]
Printable = Annotated[str, Field(pattern=r"^[ -~]+$")]
Token = Annotated[str, Field(pattern=r"^\S+$")]
Header = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Setting = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Whole = Annotated[int, Strict(), Field(ge=0)]
Count = Annotated[int, Strict(), Field(gt=0)]
Switch = Annotated[bool, Strict()]
Body = Annotated[dict[str, Any], AfterValidator(_json)]
Number = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
_CONFIG = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class LimitRow:
    unit: Unit
    amount: Count
    window: Window

    @validator(mode="after")
    def _calls_at_once_are_concurrent(self) -> Self:
        if (self.unit == "concurrent") != (self.window == "call"):
            raise ValueError('limits: the unit "concurrent" goes with the window "call": write both or neither')
        return self


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class ModelRow:
    """`pool` names what its limits count; models that share a name share them. Left out: this model alone.

    A model that transcribes has no tier. `neurons_per_minute` are those of a recording, and shorter ones than
    `least_seconds` count as that long.
    """

    id: Token
    tier: Tier = "small"
    does: Does = "chat"
    json: Literal["schema", "object", "none"] = "none"
    pool: Token | None = None
    limits: tuple[LimitRow, ...] = ()
    neurons_per_million: tuple[Number, Number] | None = None
    body: Body = Field(default_factory=dict)
    neurons_per_minute: Number | None = None
    least_seconds: Number | None = None


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class IdSetting:
    """An id beside the key, put where `{name}` stands in the row's `path`. `format` must match all of it."""

    name: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    setting: Setting
    format: Annotated[str, AfterValidator(_regex)]
    hint: Text


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class ProviderRow:
    """One account. `origin` is the file that gives `base_url`; `claim_interviews` are a day, None for no number.

    `discover` is true where the models are exchanged for those that the provider lists as free today. An "own" row
    is a server of the operator's: it needs no key, and is used once the setting <NAME>_BASE_URL or the operator's
    file says where it is.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    origin: Path
    label: Text
    dialect: Dialect
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s/]\S*$")]
    path: Annotated[str, Field(pattern=r"^/\S+$")] = "/chat/completions"
    key_setting: Setting
    id_settings: Annotated[tuple[IdSetting, ...], Field(alias="ids")] = ()
    console: Annotated[str, Field(pattern=r"^https://\S+$")]
    free: Free
    zone: Annotated[str, AfterValidator(_zone)]
    priority: Whole
    headers: dict[Token, Printable] = Field(default_factory=dict, repr=False)
    body: Body = Field(default_factory=dict)
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    stream_usage: Switch = True
    stream_json: Switch = True
    discover: Switch = False
    tells: dict[Header, Tell] = Field(default_factory=dict)
    charge: Annotated[ChargeRules, BeforeValidator(_switches)] = Field(default_factory=ChargeRules)
    claim: Text | None = None
    claim_interviews: Number | None = None
    fact: Text
    terms: tuple[Text, ...] = ()
    caveats: tuple[Text, ...] = ()
    source: Text
    as_of: Annotated[date, Strict()]
    limits: tuple[LimitRow, ...] = ()
    models: tuple[ModelRow, ...] = ()

    @property
    def base_url_setting(self) -> str:
        return f"{self.name.upper()}_BASE_URL"

    @property
    def settings(self) -> frozenset[str]:
        """The names of all settings that this row reads."""
        return frozenset({self.key_setting, self.base_url_setting, *(each.setting for each in self.id_settings)})

    @property
    def routes(self) -> tuple[Route, ...]:
        """One per model, under the model's own limits and the account's."""
        return tuple(map(self._route, self.models))

    def _route(self, model: ModelRow) -> Route:
        own = f"{self.name}/{model.pool or model.id}"
        return Route(
            provider=self.name,
            model=model.id,
            tier=model.tier,
            pool=own if model.pool or model.limits or not self.limits else self.name,
            limits=(*self._limits(own, model.limits), *self._limits(self.name, self.limits)),
            priority=self.priority,
            json=model.json,
            neurons_per_million=model.neurons_per_million,
            charge=self.charge,
            does=model.does,
            body=model.body,
            neurons_per_minute=model.neurons_per_minute or 0.0,
            least_seconds=model.least_seconds or 0.0,
        )

    def _limits(self, pool: str, rows: tuple[LimitRow, ...]) -> Iterator[Limit]:
        return (Limit(pool, row.unit, row.amount, row.window, self.zone) for row in rows)

    @validator(mode="after")
    def _path_uses_the_ids(self) -> Self:
        try:
            wanted = {name for _, name, _, _ in Formatter().parse(self.path) if name is not None}
        except ValueError:
            raise ValueError("path: has unmatched braces: write {name} where an id belongs") from None
        if wanted != {each.name for each in self.id_settings}:
            raise ValueError("path: its {names} are not those in ids: make them the same")
        return self

    @validator(mode="after")
    def _models_fit(self) -> Self:
        if not self.models and self.free != "retired":
            raise ValueError("models: there is none: add one")
        for model in self.models:
            if model.does == "transcribe" and self.dialect not in TRANSCRIBING:
                raise ValueError(f"models: {model.id} cannot transcribe in the dialect {self.dialect}: remove it")
        return self

    @validator(mode="after")
    def _models_differ(self) -> Self:
        if len({model.id for model in self.models}) < len(self.models):
            raise ValueError("models: the same id stands there twice: remove one")
        return self

    @validator(mode="after")
    def _limits_agree(self) -> Self:
        seen: dict[str, tuple[Limit, ...]] = {}
        for route in self.routes:
            if len({limit.key for limit in route.limits}) < len(route.limits):
                raise ValueError(f"limits: {route.model} has two for the same unit and window: remove one")
            if set(seen.setdefault(route.pool, route.limits)) != set(route.limits):
                raise ValueError(f"models: {route.model} shares a pool but not its limits: make them equal")
        return self

    @validator(mode="after")
    def _tells_of_limits_it_has(self) -> Self:
        limits = {(limit.unit, limit.window) for route in self.routes for limit in route.limits}
        for header, tell in self.tells.items():
            if (tell.unit, tell.window) not in limits:
                what = f"{tell.unit} per {tell.window}"
                raise ValueError(
                    f"tells: {header} is of {what}, which this row does not limit: correct or remove it"
                )
        return self

    @validator(mode="after")
    def _neurons_are_priced(self) -> Self:
        for route in self.routes:
            price = "neurons_per_minute" if route.does == "transcribe" else "neurons_per_million"
            if not getattr(route, price) and any(limit.unit == "neurons" for limit in route.limits):
                raise ValueError(f"models: {route.model} is limited in neurons: give its {price}")
        return self
