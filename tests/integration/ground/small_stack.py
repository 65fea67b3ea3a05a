"""A small stack for tests: the real `run_up` and servers around three tiny processes."""

from __future__ import annotations

import argparse
import functools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import ConnectorError
from connector.ground import probe, up
from connector.ground.part import Part

if TYPE_CHECKING:
    from connector.ground.stages import Ground

WEB = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
TICKER = """
import time
from connector.ground.readiness import tell_ready
tell_ready()
while True: time.sleep(1)
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
from connector.ground.readiness import tell_ready
tell_ready()
while True: time.sleep(1)
"""


def small(ground: Ground, *, broken: bool = False, stubborn: bool = False) -> list[list[Part]]:
    """Both servers, one step that runs once, and a web process beside a ticking one."""
    python = [sys.executable, "-c"]
    word = "raise SystemExit('the word on the broken step')" if broken else "pass"
    url = f"{ground.addresses.connector}/livez"
    web = Part(
        name="web",
        argv=[*python, WEB, str(ground.addresses.base)],
        env=ground.environment,
        ready=functools.partial(probe.answers, url),
    )
    beside = Part(
        "ticker", [*python, STUBBORN if stubborn else TICKER], env=ground.environment, grace=1
    )
    return [
        [ground.redis.part(), ground.postgres.part()],
        [Part("prepare", [*python, word], env=ground.environment, once=True)],
        [web, beside],
    ]


def main() -> int:
    """Run the small stack as the command line runs the whole one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port-base", type=int, required=True)
    for flag in ("--fresh", "--broken", "--stubborn"):
        parser.add_argument(flag, action="store_true")
    asked = parser.parse_args()
    arrange = functools.partial(small, broken=asked.broken, stubborn=asked.stubborn)
    try:
        return up.run_up(
            asked.data, fresh=asked.fresh, port_base=asked.port_base, as_json=True, arrange=arrange
        )
    except ConnectorError as error:
        facts = {"code": error.code, "message": error.message, "fix": error.fix}
        sys.stdout.write(json.dumps({"error": facts}) + "\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
