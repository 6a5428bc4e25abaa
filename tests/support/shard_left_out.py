"""An exchange that leaves a shard out of an answer."""

import json
from dataclasses import replace

from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request


class ShardLeftOut(Faults):
    """The balance names only the first two shards."""

    def after(self, request: Request, reply: Reply) -> Reply:
        if not request.path.endswith("/portfolio/balance"):
            return reply
        body = json.loads(reply.body)
        body["balance_breakdown"] = body["balance_breakdown"][:2]
        return replace(reply, body=json.dumps(body).encode())
