"""`sessionization ui`: Dagster's webserver and daemon on 127.0.0.1, on the demo's instance."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

from sessionization_dagster.cli.dagster_home import prepare_instance_home, with_demo_settings
from sessionization_dagster.errors import SettingsError


def serve(port: str) -> int:
    """Run `dagster dev` until interrupted; returns its exit code.

    Raises:
        SettingsError: the port cannot be listened on.
    """
    _require_free(port)
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


def _require_free(port: str) -> None:
    """Dagster would notice a port that is in use only after it has loaded everything."""
    with socket.socket() as probe:
        # As Dagster's webserver does: a port that was just given up is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except (OSError, OverflowError, ValueError) as error:
            raise SettingsError(
                f"Port {port} cannot be used ({error}). Take another: make ui PORT=3001 (sessionization ui --port 3001)."
            ) from error
