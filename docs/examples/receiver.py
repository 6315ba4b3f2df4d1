"""The receiver of receiver.mjs with nothing but Python's standard library.

SIGNING_SECRET=whsec_... python3 docs/examples/receiver.py
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 9000


def verify(secret, headers, body, tolerance=300):
    """Whether the request was signed with `secret` less than `tolerance` seconds ago."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > tolerance:
        return False
    signed = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    signatures = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not verify(SIGNING_SECRET, self.headers, body):
            # 401 makes the router pause this endpoint and keep what waits for it, until you resume it.
            return self.answer(401, b"")
        data = json.loads(body).get("data")
        title = data.get("title", "") if isinstance(data, dict) else ""
        self.answer(200, json.dumps({"words": len(str(title).split())}).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    SIGNING_SECRET = os.environ.get("SIGNING_SECRET") or sys.exit(
        "Set SIGNING_SECRET to the endpoint's signing_secret, whsec_..."
    )
    print(f"Listening on http://127.0.0.1:{PORT}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
