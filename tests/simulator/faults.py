"""The seam where a fault layer stands between a client and the exchange; this one lets all through."""

from .wire import Reply, Request


class Faults:
    """Subclass and give the instance to `exchange.faults`."""

    copying = False
    """Whether the request being answered is a copy that the network made: the client never sent it."""

    def before(self, request: Request) -> Reply | None:
        """Called before anything is checked. A reply is sent instead of asking the exchange;
        ConnectionDroppedError means the request was lost."""

    def after(self, request: Request, reply: Reply) -> Reply:
        """Called with the finished reply. ConnectionDroppedError means the answer was lost."""
        return reply
