"""A stage for the stand-alone server: markets to trade in when nobody brings their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from .clock import Clock
from .exchange import Exchange
from .flow import RecordedFlow
from .knobs import Knobs
from .synthetic import synthetic_recording
from .units import DOLLAR_E6

DAY_MINUTES = 24 * 60
MINUTE_MS = 60_000
CASH_E6 = 10_000 * DOLLAR_E6


@dataclass(frozen=True)
class ApiKey:
    """What a client needs to sign."""

    key_id: str
    private_key_file: Path


def furnish(exchange: Exchange, clock: Clock, *, seed: int, markets: int) -> list[str]:
    """List a synthetic day of markets that starts now and put its order flow on the clock."""
    start_ms = clock.now_ms() // MINUTE_MS * MINUTE_MS
    recording = synthetic_recording(seed, markets, start_ms, DAY_MINUTES)
    for spec in recording.markets.values():
        exchange.add_market(spec)
    end_ms = start_ms + DAY_MINUTES * MINUTE_MS
    RecordedFlow(recording, exchange, clock, start_ms, end_ms, recording.markets, seed)
    return list(recording.markets)


def fund(exchange: Exchange, key_id: str, public_key_pem: str, tier: str) -> None:
    """A member with money on every shard."""
    cash = dict.fromkeys(exchange.venue.shards, CASH_E6)
    exchange.add_member(key_id=key_id, public_key_pem=public_key_pem, cash_e6=cash, tier=tier)


def generate_key(folder: Path) -> tuple[ApiKey, str]:
    """A fresh Ed25519 key and its public PEM; the private half goes to a file only its owner reads."""
    private = ed25519.Ed25519PrivateKey.generate()
    file = folder / "private_key.pem"
    file.touch(mode=0o600)
    file.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return ApiKey("simulator", file), public.decode()


def relaxed(knobs: Knobs) -> Knobs:
    """For virtual time, which stands still while the clients' clocks run: any timestamp signs."""
    return Knobs(**(vars(knobs) | {"clock_skew_ms": 365 * DAY_MINUTES * MINUTE_MS}))
