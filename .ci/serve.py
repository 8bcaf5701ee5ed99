"""Runs the README's command as a newcomer would, on free ports and fresh data: what both READMEs and docs/walk.md show, the
story, Ctrl-C. Told another command behind that one, it runs this in their place, with the runner's address in API."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

# Building included; the step's own time is what limits it.
START_SECONDS = 540
STOP_SECONDS = 5


def free_port():
    """The first of five free ports in a row: the runner's, and those of its engines."""
    for port in range(19000, 32000, 10):
        sockets = []
        try:
            for offset in range(5):
                sockets.append(socket.create_server(("127.0.0.1", port + offset)))
            return port
        except OSError:
            pass
        finally:
            for taken in sockets:
                taken.close()
    raise SystemExit("no free ports")


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


def blocks(page, language, mark=""):
    """The blocks of code in this language, all of them or the one below `<!-- mark -->`."""
    text = open(page, encoding="utf-8").read()
    found = re.findall(rf"{mark and f'<!-- {mark} -->'}\n```{language}\n(.*?)\n```$", text, re.M | re.S)
    if not found:
        raise SystemExit(f"{page}: no block of {language} {mark}")
    return found


def first_calls(port):
    """That the calls of both READMEs are answered as they show; ports are those of this run."""
    for page, call, shown in (("README.md", "call", "answer"), ("README.zh-CN.md", "call", "answer"),
                              ("README.zh-CN.md", "refused call", "refusal")):
        moved = [re.sub(r"\b900(\d)\b", lambda digit: str(port + int(digit[1])), blocks(page, language, mark)[0])
                 for language, mark in (("sh", call), ("json", shown))]
        answer = subprocess.run(["bash", "-c", moved[0] + " -sS"], check=True, capture_output=True, text=True).stdout
        if json.loads(answer) != json.loads(moved[1]):
            return f"{page} shows another answer than\n{answer}"


def first_walk(api):
    """That docs/walk.md goes as it stands there: every answer well, but for the last call of a user who has left."""
    script = "\n".join(["curl() { command curl -sS \"$@\" | tee -a answers; echo >>answers; }", *blocks("docs/walk.md", "sh")])
    with tempfile.TemporaryDirectory() as folder:
        picture = fetch(f"{api}/user/pic/list?limit=1")["data"]["list"][0]["url"]
        urllib.request.urlretrieve(picture, f"{folder}/photo.jpg")
        walked = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env={**os.environ, "API": api},
                                stdout=subprocess.DEVNULL, timeout=60)
        answers = open(f"{folder}/answers", encoding="utf-8").read().split("\n")
    answers = [json.loads(answer) for answer in answers if answer]
    refused = [answer for answer in answers if "msg" in answer and answer["code"] not in (0, 1000, "000000")]
    if walked.returncode or len(answers) < 15 or [answer["code"] for answer in refused] != ["401"]:
        return f"docs/walk.md: ended with {walked.returncode} after {len(answers)} answers, of them refused {refused}"
    print(f"walked: {len(answers)} answers")


def newcomer(api, port):
    """What the READMEs show, the walk, the story; None when all is well."""
    if problem := first_calls(port) or first_walk(api):
        return problem
    # Two people meet; it stops at the first answer that is not as it should be.
    story = subprocess.run(["./story.sh", api], timeout=60)
    return story.returncode and f"the story ended with {story.returncode}"


def walk(api, port, process):
    """Waits for the runner, looks at it, stops it; None when all is well."""
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
    if len(sys.argv) > 2:
        looked = subprocess.run(sys.argv[2:], env={**os.environ, "API": api})
        if looked.returncode:
            return f"{sys.argv[2]} ended with {looked.returncode}"
    elif problem := newcomer(api, port):
        return problem
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
        problem = walk(f"http://127.0.0.1:{port}", port, process)
    except urllib.error.HTTPError as error:
        problem = f"{error.url}: {error.code} {error.read(500)!r}"
    finally:
        process.kill()
        process.wait()
sys.exit(problem)
