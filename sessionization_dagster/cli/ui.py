"""`sessionization ui`: Dagster's webserver and daemon on 127.0.0.1, on the demo's instance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from sessionization_dagster.cli.dagster_home import demo_settings, prepare_instance_home


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
    # The environment takes precedence over the demo's settings.
    child = subprocess.Popen(command, env={**demo_settings(home), **os.environ})
    # Dagster shuts its servers down in order on SIGINT, and leaves them running on SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the child got the same signal and is shutting down
