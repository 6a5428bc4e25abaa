"""`python -m tests.history`: a series' past, fetched from the exchange as a recording for demo and replay."""

import sys
from collections.abc import Sequence

from dora.core.errors import SecretInvalid
from dora.core.ports import Clock
from dora.edge.kalshi.signing import Signer
from dora.wiring import SystemClock
from tests.history.exchange import PastReads
from tests.history.fetch import fetch, write
from tests.history.options import HistoryError, Options, parse

CANNOT_RUN = 2


def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """The exit status: 0 fetched, 2 refused or not answered, and then no file is left."""
    options, clock = parse(arguments), clock or SystemClock()
    try:
        history = fetch(PastReads(options.base_url, clock, _signer(options)), options, clock.now_ms())
        path = write(history, options.out)
    except (HistoryError, SecretInvalid, OSError) as error:
        print(f"fetch-history: {error}", file=sys.stderr)
        return CANNOT_RUN
    print(
        f"{len(history.markets)} markets, {len(history.prints)} trades, {len(history.quotes)} candles "
        f"({history.left_out} left out, whose best prices cross)\nbounds only: make replay DATA={path}"
    )
    return 0


def _signer(options: Options) -> Signer | None:
    if options.key_id is None or options.key_file is None:
        return None
    return Signer.from_pem(options.key_id, options.key_file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
