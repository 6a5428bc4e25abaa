"""The report of a bot as one page: no script, no network, nothing that is not in state or archive."""

from collections import Counter
from html import escape
from string import ascii_lowercase

from dora.core.calendar import format_time
from dora.core.exchange.account import Fill
from dora.core.exchange.market import Side
from dora.core.units import ONE_DOLLAR, Count, Money, TimeMs, format_count, format_price
from dora_operator.money import cents, total
from dora_operator.reason_words import explained
from dora_operator.report.pieces import STYLE, figure, grid
from dora_operator.report.story import BOTH, ONE, Story, stretches
from dora_operator.report.svg import Line, Mark, Part, Span, chart, strip

BID, ASK, BOOK, GAIN = "#1d6fb8", "#c2620c", "#9fb3c8", "#0b7a5b"
QUOTED = {BOTH: "#0072b2", ONE: "#a9cde8"}
REASONS = ("#e69f00", "#8c2d04", "#009e73", "#f0e442", "#cc79a7", "#333333", "#b5b5b5", "#5b2a86", "#ffddbb")
EARNED = ("market", "profit after fees", "of it rewards credited", "rewards estimated")
OPEN_MARKETS = 4
"""So many markets are open when the page is."""
Facts = list[tuple[str, str | None]]


def page(title: str, told: Story, standing: Facts) -> str:
    """The page as text. `standing`: how things stand now, as `dora now` says it."""
    first_ms = told.moments[0].at_ms if told.moments else told.since_ms
    span, colours = Span(first_ms, told.until_ms), _colours(told)
    cards = "".join(_card(told, span, colours, at, ticker) for at, ticker in enumerate(told.tickers))
    body = (
        f"<h1>{escape(title)}</h1><p class=lead>{escape(_lead(told))}</p>"
        f"<div class=figures>{''.join(_figures(told))}</div>"
        f"<section class=card><h2>Profit after fees, dollars</h2>"
        f"<p class=note>Of all markets by the books, since the first cycle shown; a gap: a position had no "
        f"price.</p>{chart(span, [_profit(told)])}</section>"
        f"<section class=card><h2>When and why nothing was quoted</h2>{_legend(colours)}"
        f"{_strips(told, span, colours)}</section>"
        f"<h2 class=part>Markets</h2>{cards}"
        f"<section class=card><h2>What each market earned, dollars</h2>"
        f"<p class=note>Rewards credited are part of the profit; what programs are "
        f"expected to pay is an estimate, and part of none.</p>{_earned(told)}</section>"
        f"<section class=card><h2>Now</h2>{_now(standing)}</section>"
        f"<section class=card><h2>Words</h2>{_words(colours)}</section>"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n"
        f"<body><main>{body}</main></body>\n</html>\n"
    )


def _earned(told: Story) -> str:
    """A row for each market, and one for all."""
    amounts = [
        (ticker, told.profit(ticker), told.rewards(ticker), told.rewards_estimated(ticker))
        for ticker in told.tickers
    ]
    whole = ("all", _all_profit(told), told.rewards(), told.rewards_estimated())
    return grid(EARNED, ((name, *(cents(own) or "?" for own in row)) for name, *row in [*amounts, whole]))


def _all_profit(told: Story) -> Money | None:
    return total([told.profit(ticker) for ticker in told.tickers])


def _now(standing: Facts) -> str:
    return grid((), ((name, own or "?") for name, own in standing))


def _time(at_ms: int) -> str:
    return format_time(TimeMs(at_ms))[:16].replace("T", " ")


def _lead(told: Story) -> str:
    shown = f"{len(told.moments)} of {told.archived} archived cycles are shown"
    if not told.archived:
        shown = "no cycle is archived in this time: charts and reasons are not known"
    return f"From {_time(told.since_ms)} to {_time(told.until_ms)} UTC; {shown}."


def _figures(told: Story) -> list[str]:
    profit = _all_profit(told)
    gained, fees = total(list(told.gained.values())), Money(sum(own.fee for own in told.fills))
    contracts = format_count(Count(sum(own.count for own in told.fills)))
    words = [word for ticker in told.tickers for word in told.words(ticker)]
    quoted = sum(word in QUOTED for word in words)
    wrong = [own for own in told.moments if own.status != "completed"]
    failed, unknown = (sum(own.counts.get(name, 0) for own in told.moments) for name in ("failed", "unknown"))
    drift = sum(own.counts.get("drift", 0) > 0 for own in told.moments)
    why = Counter(own.reason for own in wrong).most_common(1)
    failing = any(own.status != "halted" for own in wrong)
    return [
        figure("profit after fees", _dollars(profit), f"{_dollars(gained)} of it open", bad=profit is None),
        figure(
            "rewards credited, in the profit",
            _dollars(told.rewards()),
            f"{_dollars(told.rewards_estimated())} estimated, in no profit",
        ),
        figure("fills", len(told.fills), f"{contracts} contracts, fees {_dollars(fees)}"),
        figure("of markets and cycles quoted", _share(quoted, len(words)), f"{quoted} of {len(words)}"),
        figure("cycles not completed", len(wrong), why[0][0] if why else "of those shown", bad=failing),
        figure(
            "writes failed",
            failed,
            f"{unknown} unknown; in {drift} cycles a position differed",
            bad=failed + unknown + drift > 0,
        ),
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "?"


def _dollars(amount: Money | None) -> str:
    return f"{cents(amount) or '?'} $"


def _profit(told: Story) -> Line:
    first = next((own.profit for own in told.moments if own.profit is not None), Money(0))
    points = [
        (own.at_ms, None if own.profit is None else (own.profit - first) / 1_000_000) for own in told.moments
    ]
    return Line("all markets", points, GAIN, 2.4)


def _colours(told: Story) -> dict[str, str]:
    """Quotes are blue; a reason has the same colour everywhere on the page."""
    words = {word for ticker in told.tickers for word in told.words(ticker)} - QUOTED.keys()
    return QUOTED | {word: REASONS[at % len(REASONS)] for at, word in enumerate(sorted(words))}


def _letters(colours: dict[str, str]) -> dict[str, str]:
    """A letter for each reason, in legend and strips: for print, and for whoever sees few colours."""
    reasons = [word for word in colours if word not in QUOTED]
    return {word: ascii_lowercase[at % len(ascii_lowercase)] for at, word in enumerate(reasons)}


def _legend(colours: dict[str, str]) -> str:
    letters = _letters(colours)
    items = (
        f'<span><i style="background:{own}"></i><b>{letters.get(word, "")}</b> {escape(word)}</span>'
        for word, own in colours.items()
    )
    return f"<p class=words>{''.join(items)}</p>"


def _words(colours: dict[str, str]) -> str:
    return grid((), (line.split(": ", maxsplit=1) for line in explained(colours)))


def _strips(told: Story, span: Span, colours: dict[str, str]) -> str:
    return "".join(
        f"<div class=strip><a href='#{escape(ticker)}'>{escape(ticker)}</a>"
        f"{_strip(told, span, colours, ticker)}</div>"
        for ticker in told.tickers
    )


def _strip(told: Story, span: Span, colours: dict[str, str], ticker: str) -> str:
    times = [own.at_ms for own in told.moments] + [told.until_ms]
    letters = _letters(colours)
    parts = [
        Part(
            times[first],
            times[after],
            colours[word],
            f"{_time(times[first])[11:]} {word}",
            letters.get(word, ""),
        )
        for first, after, word in stretches(told.words(ticker))
    ]
    return strip(span, parts)


def _card(told: Story, span: Span, colours: dict[str, str], place: int, ticker: str) -> str:
    fills = [own for own in told.fills if own.ticker == ticker]
    words = told.words(ticker)
    net = next((own.markets[ticker].net for own in reversed(told.moments) if ticker in own.markets), None)
    cells = (
        f"<b>{escape(ticker)}</b>",
        f"{_dollars(told.profit(ticker))} <i>after fees</i>",
        f"{len(fills)} <i>fills, {format_count(Count(sum(own.count for own in fills)))} contracts</i>",
        f"{_share(sum(word in QUOTED for word in words), len(words))} <i>of cycles quoted</i>",
        f"{'?' if net is None else format_count(net)} <i>held</i>",
        f"<i>{escape(_most(words))}</i>",
    )
    summary = "".join(f"<span>{cell}</span>" for cell in cells)
    rows = (
        (_time(own.at_ms), str(own.side), format_price(own.price), format_count(own.count), _dollars(own.fee))
        for own in fills
    )
    listed = grid(("time", "side", "price", "contracts", "fee"), rows) if fills else ""
    opened = " open" if place < OPEN_MARKETS else ""
    return (
        f'<details class="card" id="{escape(ticker)}"{opened}><summary>{summary}</summary>'
        f"{_quotes(told, span, ticker)}{_strip(told, span, colours, ticker)}{listed}</details>"
    )


def _most(words: list[str]) -> str:
    """The reason that held longest where nothing was quoted."""
    counted = Counter(word for word in words if word not in QUOTED).most_common(1)
    return f"{counted[0][0]} {_share(counted[0][1], len(words))}" if counted else ""


def _quotes(told: Story, span: Span, ticker: str) -> str:
    seen = [(own.at_ms, own.markets.get(ticker)) for own in told.moments]

    def line(name: str, side: str, colour: str, width: float, dashes: str = "") -> Line:
        prices = [(at_ms, getattr(own, side) if own else None) for at_ms, own in seen]
        points = [(at_ms, None if price is None else price / ONE_DOLLAR) for at_ms, price in prices]
        return Line(name, points, colour, width, dashes)

    lines = [
        line("best bid, ours included", "bid", BOOK, 1.2),
        line("best ask, ours included", "ask", BOOK, 1.2),
        line("our bid", "our_bid", BID, 2.0),
        line("our ask", "our_ask", ASK, 2.0, "6 3"),
    ]
    return chart(span, lines, [_mark(own) for own in told.fills if own.ticker == ticker])


def _mark(own: Fill) -> Mark:
    colour, done = (BID, "bought") if own.side is Side.BID else (ASK, "sold")
    says = f"{_time(own.at_ms)[11:]} {done} {format_count(own.count)} at {format_price(own.price)}"
    return Mark(own.at_ms, own.price / ONE_DOLLAR, colour, says, falls=own.side is not Side.BID)
