"""The newcomer's clock: from `git clone` to the README's first answer, then to an operation changed and tested. Wants a quiet
machine, and some minutes of it."""

import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = 18000
CALL = "/user/pic_dir/list?user_id=129171460096000"
OPERATION, TEST = "functions/user/src/user_follow.rs", "user"


def clock(what, work):
    """Does it, and says how long it took and how much CPU, that of what it started included."""
    def cpu():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    from_, before = time.monotonic(), cpu()
    work()
    print(f"{time.monotonic() - from_:6.0f} s, {cpu() - before:6.0f} s of CPU: {what}", flush=True)


def first_answer(folder):
    """Until the README's call is answered; the runner is stopped after that."""
    environment = {**os.environ, "PORT": str(PORT), "DATA_DIR": f"{folder}/data"}
    runner = subprocess.Popen(["cargo", "run", "--quiet"], cwd=folder, env=environment)
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{CALL}", timeout=10) as answer:
                assert json.load(answer)["data"]["list"]
            break
        except OSError:
            if runner.poll() is not None:
                sys.exit(f"the runner ended with {runner.returncode}")
            time.sleep(0.1)
    runner.send_signal(signal.SIGINT)
    runner.wait()


def change_and_test(folder, words):
    """Another message of an operation, and that operation's tests."""
    operation = pathlib.Path(folder, OPERATION)
    text, changed = re.subn(r'is your own[^"]*', words, operation.read_text(encoding="utf-8"))
    assert changed, OPERATION
    operation.write_text(text, encoding="utf-8")
    subprocess.run(["cargo", "test", "--quiet", "-p", "local", "--test", "all", f"{TEST}::"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)


with tempfile.TemporaryDirectory() as temporary:
    folder = f"{temporary}/plaza"
    os.environ.pop("CARGO_TARGET_DIR", None)
    clock("`git clone`", lambda: subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True))
    clock("`cargo run`, until the README's call is answered", lambda: first_answer(folder))
    clock("an operation changed, its tests built for the first time and run", lambda: change_and_test(folder, "is your own"))
    clock("each change after that, tested", lambda: change_and_test(folder, "is your own: follow others"))
