"""The bot with the proxy between it and the exchange."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from requests.adapters import BaseAdapter

from tests.contract.prism import proxy
from tests.contract.witness import Testimony, Witness
from tests.world.bot import Bot, Env, deployed_bot
from tests.world.bot_clock import BotClock


@dataclass
class Judgement:
    """What came of a run; filled in when the bot is gone."""

    complaints: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    testimony: Testimony = field(default_factory=Testimony)


@dataclass(frozen=True)
class JudgedDeployment:
    """Deploys the real handlers, their exchange address being the proxy's."""

    document: Path
    folder: Path
    judgement: Judgement = field(default_factory=Judgement)

    @contextmanager
    def __call__(self, env: Env, clock: BotClock, adapter: BaseAdapter | None) -> Iterator[Bot]:
        """See tests.world.bot.Deployment; the world's wire must be http."""
        assert adapter is None, "the proxy needs a real address to forward to"
        witness = Witness()
        with proxy(self.document, env["KALSHI_BASE_URL"], self.folder / "prism.log") as running:
            with deployed_bot({**env, "KALSHI_BASE_URL": running.url}, clock, witness) as bot:
                yield bot
            self.judgement.testimony = witness.testimony
            self.judgement.complaints = running.complaints()
            self.judgement.calls = running.calls()
