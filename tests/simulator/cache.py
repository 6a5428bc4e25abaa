"""A cache in front of one endpoint: the same question within a span gets the same old answer."""

from collections.abc import Callable

from .wire import Reply, Request


class ReplyCache:
    """Keyed by path and query; a span of zero asks anew every time."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._kept: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[int, Reply]] = {}

    def answer(self, request: Request, span_ms: int, make: Callable[[], Reply]) -> Reply:
        if not span_ms:
            return make()
        key, now_ms = (request.path, tuple(request.query)), self._now_ms()
        kept = self._kept.get(key)
        if kept is None or now_ms - kept[0] >= span_ms:
            kept = self._kept[key] = (now_ms, make())
        return kept[1]
