"""Clients that nobody here wrote trade on the simulator, with Prism listening in."""

import subprocess
from pathlib import Path

import pytest

from tests.contract.doctor import doctored
from tests.contract.document import ROOT
from tests.contract.prism import proxy
from tests.contract.venue import NEAR, Venue, open_venue

pytestmark = pytest.mark.long

PYTHON = ROOT / ".venv-contract" / "bin" / "python"
LIMIT_S = 120
CLIENTS = ("kalshi-sdk", "kalshi-python-sync")


def _lead_a_life(client: str, base_url: str, venue: Venue, folder: Path) -> subprocess.CompletedProcess[str]:
    key_file = folder / "private.pem"
    key_file.touch(mode=0o600)
    key_file.write_text(venue.key.private_pem, encoding="utf-8")
    command = [PYTHON, "-m", "journey", client, base_url, venue.key.key_id, key_file]
    here = Path(__file__).parent
    return subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_foreign_client_leads_a_whole_trading_life(
    client: str, document_file: Path, tmp_path: Path
) -> None:
    with open_venue("rsa") as venue, proxy(document_file, venue.url, tmp_path / "prism.log") as running:
        done = _lead_a_life(client, running.url, venue, tmp_path)
        complaints = running.complaints()

    assert done.returncode == 0, done.stderr
    assert complaints == []
    assert venue.exchange.invariants.broken == []
    assert [fill.trade.ticker for fill in venue.exchange.invariants.watched.fills] == [NEAR]


LIES = {
    "a cancel that took nothing off": ("DELETE", {"reduced_by": "0.00"}, "taken off by the cancel"),
    "a create without an order id": ("POST", {"order_id": None}, "order_id"),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("method", "changes", "named"), LIES.values(), ids=LIES)
def test_a_foreign_client_notices_a_lie_of_the_simulator(
    client: str, method: str, changes: dict[str, object], named: str, tmp_path: Path
) -> None:
    with open_venue("rsa") as venue, doctored(venue.exchange, changes, method):
        done = _lead_a_life(client, venue.url, venue, tmp_path)

    assert done.returncode != 0
    assert named in done.stderr
