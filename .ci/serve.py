"""Runs the README's command as a newcomer would, on free ports and fresh data: the API's description, a login, the story, Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

# Building included; the step's own time is what limits it.
START_SECONDS = 540
STOP_SECONDS = 5


def free_port():
    """The first of four free ports in a row: the runner's, and those of its engines."""
    for port in range(19000, 32000, 10):
        sockets = []
        try:
            for offset in range(4):
                sockets.append(socket.create_server(("127.0.0.1", port + offset)))
            return port
        except OSError:
            pass
        finally:
            for taken in sockets:
                taken.close()
    raise SystemExit("no free ports")


def fetch(url, form=None):
    body = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(url, body, timeout=10) as response:
        return json.load(response)


def walk(api, process):
    """What a newcomer does; None when all is well."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            description = fetch(f"{api}/openapi.json")
            break
        except OSError as error:
            if process.poll() is not None:
                return f"the runner ended with {process.returncode}"
            if time.monotonic() > until:
                return f"the runner does not answer: {error}"
            time.sleep(0.2)
    if not description["openapi"].startswith("3.1"):
        return f"not OpenAPI 3.1: {description['openapi']}"
    print(f"{len(description['paths'])} paths in /openapi.json")
    # The sample data's user, as in the runner's start-up text.
    login = {"user_type": "1", "account": "13800138000", "password": "plaza2026"}
    answer = fetch(f"{api}/user/login", login)
    if not answer.get("data", {}).get("user_info", {}).get("token"):
        return f"no token after the login; the answer has {sorted(answer)}"
    print("logged in")
    # Two people meet; it stops at the first answer that is not as it should be.
    story = subprocess.run(["./story.sh", api], timeout=60)
    if story.returncode:
        return f"the story ended with {story.returncode}"
    process.send_signal(signal.SIGINT)
    from_ = time.monotonic()
    try:
        status = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        return f"still there {STOP_SECONDS} s after Ctrl-C"
    print(f"ended {time.monotonic() - from_:.1f} s after Ctrl-C, status {status}")
    return status and f"ended with {status} after Ctrl-C"


with tempfile.TemporaryDirectory() as data:
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "DATA_DIR": data}
    # `exec`, so that the signal reaches the command itself: cargo replaces itself by the program it runs.
    process = subprocess.Popen(["sh", "-c", f"exec {sys.argv[1]}"], env=environment, stdin=subprocess.DEVNULL)
    try:
        problem = walk(f"http://127.0.0.1:{port}", process)
    except urllib.error.HTTPError as error:
        problem = f"{error.url}: {error.code} {error.read(500)!r}"
    finally:
        process.kill()
        process.wait()
sys.exit(problem)
