"""What people configure: the GLOBAL item, SERIES# templates, and markets. Units, bounds and defaults.

`config_items` reads them from the config table; `config_fields` says how a field is declared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dora.core.blackouts import parse_blackouts
from dora.core.burst_limits import LEAST, MOST, parse_burst_limits
from dora.core.calendar import is_day, named_time_ms, quote_end_ms
from dora.core.config_fields import Checked, contracts, percent, phrases, price, whole_number
from dora.core.config_risk import RiskLimits
from dora.core.errors import CalendarInvalid, ConfigInvalid
from dora.core.units import Count, Price

DEFAULT_STRATEGY = "reservation"
ALWAYS, DRY_RUN, NEVER = RECORDED = ("always", "dry_run", "never")
"""When what is public is recorded."""
BY_SHARD, BY_EVENT = GROUPED = ("shard", "event")
"""What orders are grouped by."""
COOLDOWN_AFTER_HOLD_S = 60
"""A group is armed again no sooner than this after a late create can have landed in it."""
SHORTEST_LIFE_S = 600
"""Orders are renewed minutes before they expire; much shorter lives would be nothing but renewals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalConfig(RiskLimits):
    """The GLOBAL item. Without it nothing is placed. What may be lost stands in `config_risk`."""

    group_burst_limit: Count = contracts(LEAST, MOST)
    """Contracts an order group may match in any 15 s before the exchange trips it. Change it with sizes and
    markets: twice what a busy 15 s may match."""
    group_burst_limits: str = phrases()
    """Burst limits for the groups of single strategy tags, as `calm 500; fast 2000`; all others have
    `group_burst_limit`. Change it where markets of one tag match far more, or less, than the rest."""
    trading_enabled: bool = False
    """Whether anything is placed at all. Change it to true once limits and markets are reviewed."""
    use_order_groups: bool = True
    """Whether orders are in groups of the exchange, which can be triggered in one step."""
    group_by: str = BY_SHARD
    """What orders are grouped by: `shard` (and strategy tag), or `event`, each of which then has a group of
    its own whose trip rests it alone. Change it to `event` where a replay of your markets shows that it
    pays."""
    event_burst_limit: Count = contracts("0", "1000000", "0")
    """Contracts an event's group may match in any 15 s; 0: its smallest quote less one."""
    event_cooldown_s: int = whole_number("60", "86400", "300")
    """How long an event rests after its group tripped; at least `unknown_create_hold_s` and a minute."""
    event_trips_a_day: int = whole_number("1", "1000", "6")
    """Trips of an event after which it rests for the rest of the exchange's day. One whose fills stood no
    worse five minutes later does not count."""
    event_trips_together: int = whole_number("2", "1000", "5")
    """So many events that trip within five minutes latch the session."""
    auto_reset_on_limit: bool = False
    """Whether a session whose order group tripped is re-armed without a person. Nothing else ever is. Change
    it to true once tripped groups have turned out to be harmless bursts."""
    auto_reset_max: int = whole_number("1", "100", "3")
    """How often a session is re-armed so."""
    auto_reset_cooldown_s: int = whole_number("90", "86400", "300")
    """How long after the trip it is re-armed; longer than a late order could still be accepted."""
    cancel_on_halt: bool = True
    """Whether resting quotes are taken off as well while nothing may be placed by a person's choice."""
    session_contract_limit: Count = contracts("1", "10000000", "5000")
    """Contracts that a session may match in all; what rests counts too. Change it with sizes and markets:
    what a busy session matches."""
    session_hours: int = whole_number("1", "168", "24")
    """How long a session lasts from its latest start; no order outlives it. Change it to less where somebody
    starts each session by hand."""
    order_life_s: int = whole_number("0", "604800", "1800")
    """Longest life of an order, 0 for none, else at least 600. It bounds how long an order that nobody can
    look after rests, and a slot whose order's fate stays unknown is frozen. With `extend_expiry` and more
    than 144 quotes it is longer, by 90 seconds for each 8 quotes more, as the answer of `start` says. Change
    it to more where renewals cost too much."""
    extend_expiry: bool = True
    """Whether an order whose life is nearly over gets a later expiry in place, by an amend of 10 tokens that
    keeps its queue place. Otherwise it is cancelled and placed anew, for 12 tokens, at the queue's end.
    Change it to false where `dora doctor --probe` shows that an amend does not keep the place."""
    create_batch_size: int = whole_number("1", "1600", "1600")
    """Placements in one batch at most; the account's tier allows fewer."""
    cancel_batch_size: int = whole_number("1", "8000", "8000")
    """Cancels in one batch at most; the account's tier allows fewer."""
    budget_share: int = percent("10", "100", "100")
    """Part of the key's tokens that this bot spends. Shares of all bots that use the key add up to 100.
    Change it where several bots use one key."""
    unknown_create_hold_s: int = whole_number("10", "600", "62")
    """How long after its signed timestamp a create whose answer was lost may still be accepted."""
    tombstone_s: int = whole_number("60", "86400", "1800")
    """How long a closed order still hides stale rows of itself."""
    fills_overlap_s: int = whole_number("60", "86400", "900")
    """How far before its cursor each read of fills begins."""
    max_read_age_s: int = whole_number("10", "3600", "120")
    """How long the exchange's reads may lack an acknowledged write of ours before nothing more is placed."""
    max_unpriced_age_s: int = whole_number("10", "86400", "300")
    """A resting quote whose market cannot be computed, or, while nothing may be placed, holds no fair
    value, is left so long after its last write; then it is cancelled."""
    tape_after_ms: int = whole_number("0", "60000", "500")
    """Reads of our orders that lag more than this send us to the public tape before a cancel."""
    placement_margin_ms: int = whole_number("1000", "30000", "8000")
    """Placing stops when less than this is left of the invocation."""
    read_attempts: int = whole_number("1", "5", "3")
    """How often a read of the exchange is tried. A write is sent once, whatever becomes of it."""
    read_backoff_ms: int = whole_number("50", "5000", "200")
    """First wait between tries of a read, three times that after a 429; each further wait doubles."""
    rate_limit_backoff_ms: int = whole_number("100", "60000", "2000")
    """After a 429 to a write nobody spends write tokens for this long; each further 429 in a row doubles
    it, up to a minute, and a write that passes ends the row."""
    max_clock_skew_ms: int = whole_number("100", "10000", "2000")
    """With a clock further off the exchange's nothing is placed."""
    record_public: str = DRY_RUN
    """When each cycle's archive object holds public trades and incentive programs too, for recordings:
    `always`, `dry_run` (in a dry run alone) or `never`. They cost read tokens. Change it to `always` to
    record beside a live bot."""

    @property
    def flaw(self) -> tuple[str, str] | None:
        """An order life that is nothing but renewals, a word that says nothing, or no day."""
        if 0 < self.order_life_s < SHORTEST_LIFE_S:
            return "order_life_s is too short to quote with", f"write 0, or {SHORTEST_LIFE_S} and more"
        if self.record_public not in RECORDED:
            return f"record_public is {self.record_public!r}", f"write one of: {', '.join(RECORDED)}"
        if self.loss_since and not is_day(self.loss_since):
            return f"loss_since is {self.loss_since!r}", "write a day as YYYY-MM-DD, or leave it out"
        return self._grouping_flaw

    @property
    def _grouping_flaw(self) -> tuple[str, str] | None:
        try:
            parse_burst_limits(self.group_burst_limits)
        except ConfigInvalid as error:
            return error.problem, error.fix
        if self.group_by not in GROUPED:
            return f"group_by is {self.group_by!r}", f"write one of: {', '.join(GROUPED)}"
        if self.group_by == BY_EVENT and not self.use_order_groups:
            return "group_by is event without order groups", "write use_order_groups true, or group_by shard"
        least_s = self.unknown_create_hold_s + COOLDOWN_AFTER_HOLD_S
        if self.group_by == BY_EVENT and self.event_cooldown_s < least_s:
            return "event_cooldown_s is shorter than a late create may take", f"write {least_s} or more"
        return None

    def burst_limit_of(self, tag: str) -> Count:
        """Burst limit of the order groups of a strategy tag."""
        return parse_burst_limits(self.group_burst_limits).get(tag, self.group_burst_limit)

    def records(self, *, dry_run: bool) -> bool:
        """Whether what is public is recorded: then the books of all configured markets are read as well."""
        return self.record_public == ALWAYS or (dry_run and self.record_public == DRY_RUN)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketConfig(Checked):
    """How one market is quoted: a MARKET# item, or the template values of its SERIES# item."""

    ticker: str
    enabled: bool = False
    """Whether it is quoted. Change it to true for each market that you have reviewed."""
    record_only: bool = False
    """Its book is read, and so archived, every cycle; it is never quoted, enabled or not. Change it to true
    to gather a recording before you quote."""
    strategy: str = DEFAULT_STRATEGY
    """Which strategy decides its quotes, by name: `reservation` or `join`. Change it after a replay of both
    on recordings of your markets."""
    settings: object = None
    """What its strategy is set to, a value of that strategy's own kind; None: the strategy's defaults."""
    reduce_only: bool = False
    """Whether only orders are placed that bring its position nearer to zero and raise no worst case. Change
    it to true to leave a market without a loss taken at once."""
    risk_group: str = ""
    """Names events that move together, as one city's days: GLOBAL limits the worst loss of them all. Change
    it for events that one cause decides, such as days of one city's weather."""
    strategy_tag: str = "maker"
    """Names the order groups that this market's orders are in, one a shard."""
    priority: int = whole_number("1", "1000", "100")
    """Weight of its quotes where tokens are short: served first is what earns most per token, times this.
    Change it where reason `budget` is seen, for markets that matter more."""
    quote_size: Count = contracts("0.01", "100000", "10")
    """Contracts of one quote. Change it with what you are ready to hold after one fill, and the depth of the
    book."""
    max_position: Count = contracts("0.01", "1000000", "100")
    """Largest net position either way if every live order fills. Change it with what you are ready to hold
    until it settles."""
    least_size: Count = contracts("0", "100000", "0")
    """A quote that the room to a limit cuts below this is not placed, but one that reduces a position. Change
    it to 10 where makers pay fees: those of a few contracts are rounded up to more than they earn."""
    levels: int = whole_number("1", "5", "1")
    """Quotes a side, of `quote_size` each; together they stay within max_position, the inner ones first.
    Change it where books are deep and moves are small."""
    level_gap: Price = price("0.0001", "0.5", "0.01")
    """Distance between neighbouring levels of a side, on the market's grid never less than one step."""
    min_edge: Price = price("0", "0.5", "0.01")
    """Least distance from fair value, after fees, at which a quote is worth having. Change it to more where
    markouts are negative, to less where nothing fills."""
    max_spread: Price = price("0.0001", "1", "0.2")
    """A book wider than this is not quoted: it holds no fair value."""
    fair_value: Price = price("0", "0.9999", "0")
    """Fair value as a person or a program knows it, used until `fair_value_until`; 0: there is none. Change
    it where you know more than the book does."""
    fair_value_until: str = ""
    """When that is too old to be believed, as an ISO time with its offset from UTC; from then on the book's
    counts, and decisions say so."""
    fair_value_gate: Price = price("0", "0.5", "0")
    """0: quotes stand around that fair value. Above: around the book's, but for a side whose best quote is
    worse than it by more than this. Change it to 0.1 where it is only a rough figure."""
    min_book_width: Price = price("0", "1", "0.03")
    """A book narrower than this is not quoted (`tests/replay/README.md` says why); 0: any is. Change it after
    a replay: narrow books belong to those who are faster."""
    max_improve_ticks: int = whole_number("0", "50", "1")
    """How far inside the best price of others on its side a quote may stand."""
    warm_up_minutes: int = whole_number("0", "1440", "10")
    """How long a market is watched before it is quoted: at first, and after more than 5 minutes unseen."""
    max_speed_percent: int = whole_number("1", "10000", "50")
    """A market is left alone once its mid moves by this share of its half-spread in a typical minute. Change
    it to less where fills come just before the price runs."""
    resume_speed_percent: int = whole_number("1", "10000", "40")
    """A market that was left alone for its speed is quoted again below this share."""
    min_price: Price = price("0.0001", "0.9999", "0.03")
    """Fair value below this is not quoted."""
    max_price: Price = price("0.0001", "0.9999", "0.97")
    """Fair value above this is not quoted."""
    price_tolerance_ticks: int = whole_number("0", "50", "1")
    """A resting quote this close to its target keeps its queue place. Change it to more where reason `budget`
    is seen: fewer quotes are replaced."""
    refill_below: int = percent("0", "100", "25")
    """A partly filled quote is kept until less than this share of its target is left."""
    close_guard_s: int = whole_number("0", "864000", "300")
    """No quote rests closer to the market's close than this. Change it to more where the outcome is known
    before the close."""
    yield_to_external: bool = False
    """Whether it is left alone while somebody else of the account has an order in its event. Change it where
    a person or another bot trades the same events."""
    cool_off_s: int = whole_number("0", "86400", "1800")
    """How long its event rests after two fills within an hour after which the mid went 5 cents or more
    against us within 5 minutes; 0: it goes on."""
    stop_before_close_s: int = whole_number("0", "8640000", "0")
    """Nothing is quoted closer than this to its close or its expected end, whichever is first; days where the
    outcome is known long before. Change it with `quote_until` in mind, which names a time instead."""
    reduce_before_close_s: int = whole_number("0", "8640000", "0")
    """From so long before that on only its position is brought nearer to zero; 0: never. Change it where a
    position should not be held to settlement."""
    taper_s: int = whole_number("0", "8640000", "0")
    """So long before that `quote_size` begins to fall, by a quarter each quarter of the time; 0: never.
    Change it where less is to be at stake towards the end."""
    quote_until: str = ""
    """When it is quoted for the last time: an ISO time with its offset from UTC, or `ticker_date`, midnight
    in New York before the day that its ticker names. No order rests past it. Change it where the outcome
    comes out before the close."""
    blackouts: str = phrases()
    """When it is not quoted, as under Calendar. No order rests into one. Change it where news comes at times
    that are known."""

    @property
    def quoted(self) -> bool:
        """Whether it is to be quoted, as far as its own item says."""
        return self.enabled and not self.record_only

    @property
    def flaw(self) -> tuple[str, str] | None:
        """Bounds that exclude each other."""
        if self.min_price >= self.max_price:
            return "min_price_dollars is not below max_price_dollars", "swap or widen them"
        if self.quote_size > self.max_position:
            return "quote_size is above max_position", "one fill must fit the position cap"
        if self.least_size > self.quote_size:
            return "least_size is above quote_size", "no quote would ever be placed; lower it"
        if self.resume_speed_percent > self.max_speed_percent:
            return "resume_speed_percent is above max_speed_percent", "swap or widen them"
        if self.min_book_width > self.max_spread:
            return "min_book_width_dollars is above max_spread_dollars", "no book is both; swap or widen them"
        if bool(self.fair_value) != bool(self.fair_value_until):
            return "of fair_value_dollars and fair_value_until there is only one", "write both, or neither"
        try:
            named_time_ms("fair_value_until", self.fair_value_until)
            parse_blackouts(self.blackouts)
            quote_end_ms(self.quote_until, self.ticker)
        except CalendarInvalid as error:
            return error.problem, error.fix
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesConfig:
    """A SERIES# item: which open markets of a series are quoted, and with which template values."""

    ticker: str
    enabled: bool = False
    """Whether it is quoted. Change it to true for each market that you have reviewed."""
    max_markets: int = whole_number("1", "3000", "200")
    """Markets of the series that are quoted at most. Change it with cash and tokens."""
    min_life_s: int = whole_number("0", "8640000", "3600")
    """Markets that close sooner than this after they are found are left alone."""
    max_life_s: int = whole_number("60", "86400000", "86400000")
    """Markets that close later than this are left alone, until it is time."""
    min_volume: Count = contracts("0", "100000000", "0")
    """Markets in which fewer contracts were traded over the last 24 hours are left alone. Change it to more
    to leave dead markets alone."""
    widest_spread: Price = price("0.0001", "1", "1")
    """Markets whose spread is wider when it is looked at are left alone; $1: whatever it is."""
    strikes_per_event: int = whole_number("0", "3000", "0")
    """Of each event only so many markets, those nearest to 50 cents; 0 for all."""
    fastest_percent: int = whole_number("0", "10000", "0")
    """Markets whose mid moves by more than this share of their half-spread in a typical minute make room for
    others, once they were read for `warm_up_minutes`, and are read on without a quote; 0: whatever they move.
    Change it where fast markets take the places of slow ones."""
    drain: bool = True
    """Whether what is held of its markets that are chosen no longer is quoted for sale, and nothing more."""
    template: Mapping[str, object] = field(default_factory=dict)
