"""The same requests as one curl process would send them."""

import json
from dataclasses import replace

from measure import BenchError, Contestant

SENT = ("accept", "accept-encoding", "content-type", "user-agent")
CONNECTIONS = 4  # as many as hermesctl uses


def without_preconditions(request):
    if request.method != "DELETE":
        return request
    body = json.loads(request.body)
    body.pop("preconditions", None)
    return replace(request, body=json.dumps(body).encode())


def in_namespace(request, old, new):
    target, body = request.target.replace(old, new), request.body.replace(old.encode(), new.encode())
    return replace(request, target=target, body=body)


class Replay:
    def __init__(self, line, requests, scratch, parallel=False):
        self.line = line
        self.requests = [without_preconditions(request) for request in requests]
        self.parallel = parallel
        self.folder = scratch / f"{line.name}-curl{'-parallel' if parallel else ''}"
        self.folder.mkdir(exist_ok=True)

    def command(self, requests=None):
        """Writes bodies and a configuration file, and gives the argv."""
        head = f"parallel\nparallel-max = {CONNECTIONS}\nparallel-immediate\n" if self.parallel else ""
        parts = [self.part(i, request) for i, request in enumerate(requests or self.requests)]
        config = self.folder / "config"
        config.write_text(head + "next\n".join(parts))
        return ["curl", "-q", "-K", str(config)]

    def part(self, i, request):
        options = {
            "url": self.line.server + request.target,
            "request": request.method,
            "output": "/dev/null",
            "write-out": "%{http_code}\\n",
            **{name: str(file) for name, file in self.line.files.items()},
        }
        if request.body:
            body = self.folder / f"body-{i}"
            body.write_bytes(request.body)
            body.chmod(0o600)
            options["data-binary"] = f"@{body}"
        headers = ["Expect:"] + [f"{k}: {v}" for k, v in request.headers.items() if k.lower() in SENT]
        lines = [f'{name} = "{value}"' for name, value in options.items()]
        lines += [f'header = "{header}"' for header in headers]
        return "\n".join(["silent", "show-error", "no-progress-meter", "http1.1", "path-as-is", *lines, ""])

    def check(self, out):
        """The server answered curl as it answered hermesctl."""
        got, expected = sorted(out.split()), sorted(str(request.status) for request in self.requests)
        if got != expected:
            raise BenchError(f"curl was answered {' '.join(got)} instead of {' '.join(expected)}")

    def contestant(self, name, env, command=None):
        return Contestant(name, command or self.command, env, self.check)
