"""From the gateway's "connected" to hermesctl's word for it: a whole deploy of a real gateway."""

import re
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime

from measure import FROM_A_SHELL, fail, running

SECRETS = ("TELEGRAM_BOT_TOKEN=env:HERMES_TEST_TOKEN_OTHER", "MINIMAX_API_KEY=env:HERMES_TEST_KEY")
CONNECTED = "✓ telegram connected"
# In the container: the zone of the log's times, then the line itself. Its clock is the machine's, as ours.
ASK_GATEWAY = f"date +%z; grep -h '{CONNECTED}' /opt/data/logs/gateway.log"

# Runs a command and then prints the time.
TIMED = ("sh", "-c", '"$@" >/dev/null && date +%s.%N', "sh")


@dataclass(frozen=True)
class Start:
    """Seconds of one deploy."""

    said: float  # from the gateway's line to hermesctl's "telegram connected"
    answers: float  # from the gateway's line to "the bot answers", after Telegram and the provider were asked
    rollout: float  # from the gateway's line to the end of `kubectl rollout status`
    whole: float  # from the command to "the bot answers"
    peak: int  # bytes


def connected_at(kubectl, ns, env):
    argv = [*kubectl, "-n", ns, "exec", "deployment/hermes", "-c", "hermes", "--", "sh", "-c", ASK_GATEWAY]
    answer = subprocess.run(argv, check=True, capture_output=True, text=True, env=env).stdout
    zone, *lines = answer.splitlines()
    moment, milliseconds = re.match(r"([\d-]+ [\d:]+)[,.](\d+)", lines[0]).groups()
    return datetime.strptime(f"{moment}.{milliseconds} {zone}", "%Y-%m-%d %H:%M:%S.%f %z").timestamp()


def deploy(binary, kubectl, ns, env):
    argv = [binary, "-n", ns, "deploy", "--yes", "--allow-user", env["HERMES_TEST_USER"]]
    for secret in SECRETS:
        argv += ["--secret", secret]
    follow = [*TIMED, *kubectl, "-n", ns, "rollout", "status", "deployment/hermes", "--timeout=10m"]
    lines = []
    begun = time.time()
    with running([*FROM_A_SHELL, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as child:
        for line in child.stderr:  # the wrapper sends stdout there too
            lines.append((time.time(), line.decode()))
            if re.search(r"deployment/hermes.*created", lines[-1][1]):
                break
        with running(follow, stdout=subprocess.PIPE, env=env) as rollout:
            lines += [(time.time(), line.decode()) for line in child.stderr]
            peak = child.stdout.read()
            if child.wait():
                fail(argv, child.returncode, "".join(text for _, text in lines))
            rolled_out = float(rollout.communicate()[0].split()[-1])
    said = [when for when, text in lines if re.search(r"telegram +connected", text)][-1]
    answers = next(when for when, text in lines if text.startswith("the bot answers"))
    connected = connected_at(kubectl, ns, env)
    return Start(
        said=said - connected,
        answers=answers - connected,
        rollout=rolled_out - connected,
        whole=answers - begun,
        peak=int(peak) * 1024,
    )
