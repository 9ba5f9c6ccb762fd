"""A stand-in for the panel: /health says it is ready."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """One line a look would fill the test's output."""


HTTPServer((os.environ["RISER_PANEL_LISTEN"], int(os.environ["RISER_PANEL_PORT"])), Health).serve_forever()
