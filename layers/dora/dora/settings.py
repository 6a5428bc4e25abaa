"""The environment, read once and held to its rules. Every name here is declared in the template."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from dora.core.errors import SettingsInvalid
from dora.core.plain_text import FIX, foreign_character

_PLAIN_URL = re.compile(r"https?://([A-Za-z0-9.-]+|\[::1\])(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?", re.ASCII)
"""No user, no query, nothing that two programs could read as two different hosts."""

_BOT = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,31}", re.ASCII)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Stage(StrEnum):
    """Which exchange the bot trades on."""

    DEMO = "kalshi-demo"
    PROD = "prod"
    LOCAL = "local"


class Archived(StrEnum):
    """What of a cycle goes to the archive bucket."""

    FULL = "full"
    """All that it saw, decided and did: enough to decide the same again."""
    DECISIONS = "decisions"
    """What it decided and did."""
    OFF = "off"


HOSTS: Mapping[Stage, frozenset[str]] = {
    Stage.DEMO: frozenset({"external-api.demo.kalshi.co", "demo-api.kalshi.co"}),
    Stage.PROD: frozenset({"external-api.kalshi.com", "api.elections.kalshi.com"}),
    Stage.LOCAL: LOOPBACK,
}
"""The hosts a key of each stage may be shown to."""


class Settings(NamedTuple):
    """One bot in one environment."""

    bot: str
    stage: Stage
    config_table: str
    state_table: str
    limiter_table: str
    base_url: str
    secret_id: str
    subaccount: int = 0
    dry_run: bool = False
    archive_bucket: str | None = None
    archive: Archived = Archived.FULL
    alarm_topic: str | None = None
    """Where alarms and the daily digest go; None: nobody is told."""
    log_level: str = "INFO"
    aws_endpoint_url: str | None = None

    @property
    def state_key(self) -> str:
        """Partition of the state table; a dry run never touches the live bot's."""
        return f"{self.bot}#dry" if self.dry_run else self.bot


def read_settings(env: Mapping[str, str]) -> Settings:
    """Settings from the environment. Raises SettingsInvalid naming the variable and how to fix it."""
    stage = _stage(env)
    return Settings(
        bot=_bot(env),
        stage=stage,
        config_table=_needed(env, "CONFIG_TABLE"),
        state_table=_needed(env, "STATE_TABLE"),
        limiter_table=_text(env, "LIMITER_TABLE") or _needed(env, "STATE_TABLE"),
        base_url=_base_url(env, stage),
        secret_id=_needed(env, "KALSHI_SECRET_ID"),
        subaccount=_whole(env, "SUBACCOUNT", 63),
        dry_run=_flag(env, "DRY_RUN"),
        archive_bucket=_text(env, "ARCHIVE_BUCKET") or None,
        archive=_archived(env),
        alarm_topic=_text(env, "ALARM_TOPIC") or None,
        log_level=_level(env),
        aws_endpoint_url=_text(env, "AWS_ENDPOINT_URL") or None,
    )


def _text(env: Mapping[str, str], name: str) -> str:
    """A variable without white space around it, "" when it is not set. All of them are read here."""
    value = env.get(name, "").strip()
    if flaw := foreign_character(value):
        raise SettingsInvalid(f"{name} holds {flaw}: {FIX}")
    return value


def _checked(name: str, value: str, valid: bool, fix: str) -> str:
    if not valid:
        raise SettingsInvalid(f"{name} is {value!r}; write {fix}")
    return value


def _bot(env: Mapping[str, str]) -> str:
    """A `#` in it would name a partition of another bot."""
    value = _needed(env, "BOT")
    fix = "a letter, then letters, digits and hyphens, 32 at most"
    return _checked("BOT", value, _BOT.fullmatch(value) is not None, fix)


def _needed(env: Mapping[str, str], name: str) -> str:
    value = _text(env, name)
    if not value:
        raise SettingsInvalid(
            f"{name} is not set; the template declares it, `sam local` needs it in --env-vars"
        )
    return value


def _stage(env: Mapping[str, str]) -> Stage:
    value = _needed(env, "STAGE")
    return Stage(_checked("STAGE", value, value in list(Stage), f"one of {', '.join(Stage)}"))


def _archived(env: Mapping[str, str]) -> Archived:
    value = (_text(env, "ARCHIVE") or Archived.FULL).lower()
    return Archived(_checked("ARCHIVE", value, value in list(Archived), f"one of {', '.join(Archived)}"))


def _base_url(env: Mapping[str, str], stage: Stage) -> str:
    """A key signed for one stage must never be shown to another, nor travel in the clear."""
    value = _needed(env, "KALSHI_BASE_URL").rstrip("/")
    host, scheme = _parts(value)
    if host not in HOSTS[stage]:
        known = ", ".join(sorted(HOSTS[stage]))
        raise SettingsInvalid(f"KALSHI_BASE_URL names {host!r}; stage {stage} knows {known}")
    if scheme != "https" and not (scheme == "http" and host in LOOPBACK):
        raise SettingsInvalid(f"KALSHI_BASE_URL is {scheme}; only https, or http on loopback")
    plain = _PLAIN_URL.fullmatch(value) is not None
    return _checked("KALSHI_BASE_URL", value, plain, "https://<host>/trade-api/v2, no more")


def _parts(url: str) -> tuple[str | None, str]:
    try:
        parts = urlsplit(url)
        return parts.hostname, parts.scheme
    except ValueError as error:
        raise SettingsInvalid(f"KALSHI_BASE_URL is {url!r}: {error}") from None


def _whole(env: Mapping[str, str], name: str, highest: int) -> int:
    value = _text(env, name) or "0"
    valid = value.isdigit() and int(value) <= highest
    return int(_checked(name, value, valid, f"a whole number from 0 to {highest}"))


def _flag(env: Mapping[str, str], name: str) -> bool:
    value = (_text(env, name) or "false").lower()
    return _checked(name, value, value in ("true", "false"), "true or false") == "true"


def _level(env: Mapping[str, str]) -> str:
    value = (_text(env, "LOG_LEVEL") or "INFO").upper()
    valid = value in ("DEBUG", "INFO", "WARNING", "ERROR")
    return _checked("LOG_LEVEL", value, valid, "DEBUG, INFO, WARNING or ERROR")
