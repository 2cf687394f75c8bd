"""`sessionization ui`: Dagster's webserver and daemon on 127.0.0.1, on the demo's instance."""

from __future__ import annotations

import signal
import subprocess
import sys

from sessionization_dagster.cli.dagster_home import prepare_instance_home, with_demo_settings


def serve(port: str) -> int:
    """Run `dagster dev` until interrupted; returns its exit code."""
    home = prepare_instance_home()
    command = [
        sys.executable, "-m", "dagster", "dev",
        "--module-name", "sessionization_dagster.definitions",
        "--host", "127.0.0.1", "--port", port,
    ]  # fmt: skip
    print(f"Dagster on http://127.0.0.1:{port} (stop with Ctrl-C)", flush=True)
    # A shell starts background jobs with Ctrl-C ignored, and their children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(command, env=with_demo_settings(home))
    # Dagster shuts its servers down in order on SIGINT, and leaves them running on SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the child got the same signal and is shutting down
