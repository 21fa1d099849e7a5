"""What the pod's own readiness probe costs, measured where it runs."""

import json
import subprocess

# In the container: runs the probe's command so many times, one after the other, and prints the seconds of each.
TIME = """
import json, subprocess, sys, time
command, count = json.load(sys.stdin)
took = []
for _ in range(count):
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    took.append(time.perf_counter() - begun)
print(json.dumps(took))
"""


def cost(kubectl, ns, env, count):
    """Seconds of each run of the readiness probe in a pod that is ready."""

    def run(*argv, text=None):
        argv = [*kubectl, "-n", ns, *argv]
        return subprocess.run(argv, check=True, capture_output=True, text=True, env=env, input=text).stdout

    deployment = json.loads(run("get", "deployment", "hermes", "-o", "json"))
    containers = deployment["spec"]["template"]["spec"]["containers"]
    command = next(c for c in containers if c["name"] == "hermes")["readinessProbe"]["exec"]["command"]
    inside = ["/usr/bin/python3", "-I", "-S", "-c", TIME]
    text = json.dumps([command, count])
    return json.loads(run("exec", "-i", "deployment/hermes", "-c", "hermes", "--", *inside, text=text))
