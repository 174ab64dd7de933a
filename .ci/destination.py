"""A destination that plays the ERP: it takes everything, remembers what it got, and honours Idempotency-Key."""

import http.server
import json
import threading


class Destination(http.server.ThreadingHTTPServer):
    """Listens on host, any free port. before(request number) is called while a request waits for its answer."""

    def __init__(self, host="127.0.0.1"):
        super().__init__((host, 0), _Handler)
        self.lock = threading.Lock()
        self.received = []  # (path, headers, body), every one
        self.applied = {}  # Idempotency-Key → body: the first of each key
        self.contradictions = []  # keys that came with two contents
        self.before = lambda number: None
        self.url = f"http://{host}:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # whoever asked was killed: a part of the play

    def take(self, path, headers, body):
        with self.lock:
            self.received.append((path, headers, body))
            number = len(self.received)
            key = headers.get("Idempotency-Key", f"none-{number}")
            if self.applied.setdefault(key, body) != body:
                self.contradictions.append(key)
        self.before(number)

    def at(self, path):
        """What was applied at a path, by key."""
        with self.lock:
            paths = {headers.get("Idempotency-Key"): got for got, headers, _ in self.received}
            return {key: body for key, body in self.applied.items() if paths.get(key) == path}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.take(self.path, dict(self.headers), json.loads(body))
        try:
            self.send_response(204)
            self.end_headers()
        except OSError:
            pass  # whoever asked has gone

    def log_message(self, *_):
        pass
