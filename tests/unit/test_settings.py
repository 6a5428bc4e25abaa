"""The environment: every variable is held to its rule, and a refusal names it."""

import pytest

from dora.core.errors import SettingsInvalid
from dora.settings import HOSTS, LOOPBACK, Archived, Settings, Stage, read_settings

LOCAL = {
    "BOT": "dora",
    "STAGE": "local",
    "CONFIG_TABLE": "config",
    "STATE_TABLE": "state",
    "KALSHI_BASE_URL": "http://127.0.0.1:8099/trade-api/v2",
    "KALSHI_SECRET_ID": "dora/local",
}
REMOTE = (Stage.DEMO, Stage.PROD)


def settings(**changes: str) -> Settings:
    return read_settings(LOCAL | changes)


def test_what_is_left_out_takes_its_default() -> None:
    assert settings() == Settings(
        bot="dora",
        stage=Stage.LOCAL,
        config_table="config",
        state_table="state",
        limiter_table="state",
        base_url="http://127.0.0.1:8099/trade-api/v2",
        secret_id="dora/local",
    )


def test_empty_is_left_out() -> None:
    optional = ("LIMITER_TABLE", "SUBACCOUNT", "DRY_RUN", "ARCHIVE_BUCKET", "ARCHIVE", "LOG_LEVEL")
    assert settings(**dict.fromkeys((*optional, "AWS_ENDPOINT_URL"), "")) == settings()


def test_every_variable_is_read() -> None:
    read = settings(
        LIMITER_TABLE="shared",
        SUBACCOUNT="63",
        DRY_RUN="True",
        ARCHIVE_BUCKET="bucket",
        ARCHIVE="Decisions",
        LOG_LEVEL="debug",
        AWS_ENDPOINT_URL="http://127.0.0.1:8098",
    )
    assert (read.limiter_table, read.subaccount, read.dry_run) == ("shared", 63, True)
    assert (read.archive_bucket, read.archive, read.log_level) == ("bucket", Archived.DECISIONS, "DEBUG")
    assert read.aws_endpoint_url == "http://127.0.0.1:8098"


def test_a_dry_run_keeps_its_state_apart() -> None:
    assert (settings().state_key, settings(DRY_RUN="true").state_key) == ("dora", "dora#dry")


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("given", ["", None])
def test_a_missing_variable_is_named_and_where_to_set_it(name: str, given: str | None) -> None:
    env = {key: value for key, value in (LOCAL | {name: given}).items() if value is not None}
    with pytest.raises(SettingsInvalid, match=rf"{name} is not set; .*template.*--env-vars"):
        read_settings(env)


@pytest.mark.parametrize(
    ("name", "value", "how_to_fix"),
    [
        ("STAGE", "production", "write one of kalshi-demo, prod, local"),
        ("STAGE", "PROD", "write one of kalshi-demo, prod, local"),
        ("SUBACCOUNT", "64", "write a whole number from 0 to 63"),
        ("SUBACCOUNT", "-1", "write a whole number from 0 to 63"),
        ("SUBACCOUNT", "1.0", "write a whole number from 0 to 63"),
        ("DRY_RUN", "1", "write true or false"),
        ("DRY_RUN", "yes", "write true or false"),
        ("ARCHIVE", "all", "write one of full, decisions, off"),
        ("LOG_LEVEL", "TRACE", "write DEBUG, INFO, WARNING or ERROR"),
    ],
)
def test_a_value_that_breaks_its_rule_is_named_and_told_what_to_write(
    name: str, value: str, how_to_fix: str
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        settings(**{name: value})
    assert str(refused.value).startswith(f"{name} is {value!r}")
    assert how_to_fix in str(refused.value)


@pytest.mark.parametrize("name", [*LOCAL, "LIMITER_TABLE", "SUBACCOUNT", "DRY_RUN", "ARCHIVE_BUCKET",
    "ARCHIVE", "LOG_LEVEL", "AWS_ENDPOINT_URL"])  # fmt: skip
@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("1\N{ZERO WIDTH SPACE}", "U+200B ZERO WIDTH SPACE at position 2"),
        ("do\N{EN DASH}ra", "U+2013 EN DASH at position 3"),
        ("do\nra", "U+000A LINE BREAK at position 3"),
        ("do ra", "U+0020 SPACE at position 3"),
        ("\N{ZERO WIDTH NO-BREAK SPACE}dora", "U+FEFF ZERO WIDTH NO-BREAK SPACE at position 1"),
        ("٣", "U+0663 ARABIC-INDIC DIGIT THREE at position 1"),
    ],
)
def test_a_pasted_character_is_named_with_its_variable(name: str, pasted: str, said: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        settings(**{name: pasted})
    assert str(refused.value).startswith(f"{name} holds {said}: ")


@pytest.mark.parametrize("name", LOCAL)
def test_white_space_around_a_value_does_no_harm(name: str) -> None:
    assert settings(**{name: f"\N{NO-BREAK SPACE} {LOCAL[name]}\r\n"}) == settings()


@pytest.mark.parametrize("bot", ["dora#dry", "dora/x", "1dora", "d" * 33])
def test_a_bot_whose_name_could_be_part_of_another_key_is_refused(bot: str) -> None:
    with pytest.raises(SettingsInvalid, match="BOT is"):
        settings(BOT=bot)


# --- which host a key may be shown to -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "host"), [(stage, host) for stage in REMOTE for host in sorted(HOSTS[stage])]
)
def test_a_stage_knows_its_hosts(stage: Stage, host: str) -> None:
    url = f"https://{host}/trade-api/v2"
    assert settings(STAGE=stage, KALSHI_BASE_URL=f"{url}/").base_url == url


def test_no_host_belongs_to_two_stages() -> None:
    hosts = [host for stage in Stage for host in HOSTS[stage]]
    assert len(hosts) == len(set(hosts))


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(
    "host",
    [
        *sorted(HOSTS[Stage.DEMO] | HOSTS[Stage.PROD] | LOOPBACK),
        "example.com",
        "api.elections.kalshi.com.example.com",
        "api.elections.kalshi.com@example.com",
        "",
    ],
)
def test_a_host_of_another_stage_or_of_nobody_is_refused(stage: Stage, host: str) -> None:
    if host in HOSTS[stage]:
        return
    written = f"[{host}]" if ":" in host else host
    with pytest.raises(SettingsInvalid, match=rf"KALSHI_BASE_URL names .* stage {stage} knows"):
        settings(STAGE=stage, KALSHI_BASE_URL=f"https://{written}/trade-api/v2")


@pytest.mark.parametrize("stage", REMOTE)
@pytest.mark.parametrize("scheme", ["http", "ftp", ""])
def test_a_remote_host_is_never_spoken_to_in_the_clear(stage: Stage, scheme: str) -> None:
    url = f"{scheme}://{min(HOSTS[stage])}/trade-api/v2" if scheme else f"//{min(HOSTS[stage])}"
    with pytest.raises(SettingsInvalid, match=r"KALSHI_BASE_URL is .*; only https, or http on loopback"):
        settings(STAGE=stage, KALSHI_BASE_URL=url)


@pytest.mark.parametrize("host", ["127.0.0.1:8099", "localhost", "[::1]:8099"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_loopback_may_be_plain(scheme: str, host: str) -> None:
    assert settings(KALSHI_BASE_URL=f"{scheme}://{host}").base_url == f"{scheme}://{host}"


@pytest.mark.parametrize(
    "url",
    [
        "https://[api.elections.kalshi.com/trade-api/v2",
        "https://api.elections.kalshi.com:port/trade-api/v2",
        "https://api.elections.kalshi.com/trade-api/v2?key=1",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="KALSHI_BASE_URL"):
        settings(STAGE=Stage.PROD, KALSHI_BASE_URL=url)


def test_an_address_that_programs_read_differently_is_refused() -> None:
    """Some take the host to end at a backslash: the signature would go to the other one."""
    with pytest.raises(SettingsInvalid, match="KALSHI_BASE_URL"):
        settings(
            STAGE=Stage.PROD, KALSHI_BASE_URL="https://example.com\\@api.elections.kalshi.com/trade-api/v2"
        )
