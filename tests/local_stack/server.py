"""Lambda's own way of being asked, on loopback: `POST /2015-03-31/functions/<name>/invocations`."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
POLL_S = 0.02
"""How soon a stop is seen."""
Invoke = Callable[[str, Mapping[str, object]], object]


class FunctionServer:
    """Serves in a thread; an event that crashes its function is answered as Lambda answers it."""

    def __init__(self, invoke: Invoke) -> None:
        self._server = ThreadingHTTPServer((HOST, 0), _handler_for(invoke))
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_S,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and wait for the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler_for(invoke: Invoke) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            function = self.path.split("/")[3]
            try:
                self._send(200, invoke(function, event), {})
            except KeyError:
                self._send(404, {"Message": f"no function {function}"}, {})
            except Exception as error:
                crash = {"errorType": type(error).__name__, "errorMessage": str(error)}
                self._send(200, crash, {"X-Amz-Function-Error": "Unhandled"})

        def _send(self, status: int, answer: object, headers: Mapping[str, str]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            own = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
            for name, value in own.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

    return Handler
