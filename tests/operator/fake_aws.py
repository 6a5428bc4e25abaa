"""A deployed stack whose AWS is made of answers: what a command asks of it is kept."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import boto3

from dora_operator.target import Target

PARAMETERS = {
    "Bot": "dora",
    "Stage": "kalshi-demo",
    "KalshiSecretName": "dora/kalshi-demo",
    "ScheduleState": "DISABLED",
    "AlarmEmail": "me@example.com",
}
OUTPUTS = {
    "ConfigTableName": "config",
    "StateTableName": "state",
    "SessionFunctionName": "session",
    "FailureQueueUrl": "queue",
    "LogGroupName": "group",
}


class FakeSession:
    """Answers by service and operation; every request is noted. `meet` is called before each."""

    def __init__(
        self,
        answers: Mapping[str, Any],
        beside: boto3.Session | None = None,
        meet: Callable[[], None] = lambda: None,
    ) -> None:
        self.answers, self.asked, self._beside, self.meet = dict(answers), [], beside, meet
        self.asked: list[tuple[str, dict[str, Any]]]

    def client(self, service: str, **given: Any) -> Any:
        """One that answers, or the real one where there are no answers for the service."""
        if any(name.startswith(f"{service}.") for name in self.answers):
            return _FakeClient(self, service)
        assert self._beside is not None, service
        return self._beside.client(service, **given)  # type: ignore[call-overload]


class _FakeClient:
    def __init__(self, session: FakeSession, service: str) -> None:
        self._session, self._service = session, service

    def __getattr__(self, operation: str) -> Any:
        name = f"{self._service}.{operation}"

        def ask(**request: Any) -> Any:
            self._session.meet()
            self._session.asked.append((name, request))
            return self._session.answers[name]

        return ask


def deployed(session: FakeSession, **parameters: str) -> Target:
    """A stack in that AWS."""
    return Target("dora-demo", {**PARAMETERS, **parameters}, OUTPUTS, cast(boto3.Session, session))
