"""Docker Hub's front before a plain registry: its token dance and its faults. Pull only."""

import http.client
import time
import urllib.parse

HOSTS = ("registry-1.docker.io", "index.docker.io", "docker.io")
AUTH_HOST = "auth.docker.io"
# stands for "went through auth.docker.io"; it opens nothing but this front
ANONYMOUS = "anonymous-pull"
PASSED_ON = (
    "Content-Type",
    "Content-Length",
    "Docker-Content-Digest",
    "Docker-Distribution-Api-Version",
    "Etag",
    "Accept-Ranges",
    "Content-Range",
)
ASKED_ON = ("Accept", "Range", "If-None-Match")
PIECE = 64 * 1024
ERRORS = {
    401: ("UNAUTHORIZED", "authentication required"),
    403: ("DENIED", "requested access to the resource is denied"),
    404: ("NOT_FOUND", "not found"),
    405: ("UNSUPPORTED", "The operation is unsupported."),
    429: (
        "TOOMANYREQUESTS",
        "You have reached your pull rate limit. "
        "You may increase the limit by authenticating: https://www.docker.com/increase-rate-limit",
    ),
}


class Registry:
    def __init__(self, faults, upstream):
        self.faults = faults
        parts = urllib.parse.urlsplit(upstream)
        self.upstream = (parts.hostname, parts.port or 80) if upstream else None

    def handle(self, x):
        method = kind_of(x)
        x.label = f"registry.{method} {x.command}"
        x.body()
        try:
            self.dispatch(x, method)
        finally:
            self.faults.count("registry", method, x.status)

    def dispatch(self, x, method):
        hits = self.faults.hits("registry", method)
        x.apply_delays("registry", hits)
        if "status" in hits:
            return error(x, hits["status"].value, hits["status"].retry_after)
        if method == "token":
            # a token is given even for what it will not open, unless the fault is about tokens
            refused = "reject" in hits and "token" in hits["reject"].only
            return error(x, 401) if refused else x.answer(token())
        known = x.headers.get("Authorization") == f"Bearer {ANONYMOUS}"
        if not known or "reject" in hits:
            return challenge(x, known)
        if x.command not in ("GET", "HEAD") or not x.route.startswith("/v2/") or not self.upstream:
            return error(x, 405 if self.upstream else 503)
        return self.pass_on(x, hits["slow"].value if "slow" in hits else 0)

    def pass_on(self, x, pace):
        upstream = http.client.HTTPConnection(*self.upstream, timeout=60)
        try:
            upstream.request(
                x.command, x.path, headers={h: x.headers[h] for h in ASKED_ON if h in x.headers}
            )
            reply = upstream.getresponse()
        except (OSError, http.client.HTTPException):
            upstream.close()
            return error(x, 502)
        x.status = reply.status
        x.send_response(reply.status)
        for name in PASSED_ON:
            if reply.getheader(name):
                x.send_header(name, reply.getheader(name))
        if not reply.getheader("Content-Length"):
            # the length is unknown: the end of the connection ends the body
            x.close_connection = True
            x.send_header("Connection", "close")
        x.end_headers()
        try:
            if x.command == "GET":
                self.copy(reply, x, pace)
        finally:
            upstream.close()

    def copy(self, reply, x, pace):
        """Streams the body, at `pace` bytes a second until the registry's faults are reset."""
        before = self.faults.resets["registry"]
        while piece := reply.read(min(PIECE, max(1, pace // 4)) if pace else PIECE):
            x.wfile.write(piece)
            if pace:
                time.sleep(len(piece) / pace)
                pace = pace if self.faults.resets["registry"] == before else 0


def kind_of(x):
    if x.host == AUTH_HOST:
        return "token"
    for kind in ("manifests", "blobs", "tags"):
        if f"/{kind}/" in x.route:
            return kind
    return "ping"


def token():
    issued = "2026-01-01T00:00:00Z"
    return {"token": ANONYMOUS, "access_token": ANONYMOUS, "expires_in": 300, "issued_at": issued}


def challenge(x, known):
    repository = "/".join(x.route.removeprefix("/v2/").split("/")[:-2])
    way = f'Bearer realm="https://{AUTH_HOST}/token",service="registry.docker.io"'
    if repository:
        way += f',scope="repository:{repository}:pull"'
    if known:
        way += ',error="insufficient_scope"'
    error(x, 401, headers=(("Www-Authenticate", way),))


def error(x, status, retry_after=0, headers=()):
    code, reason = ERRORS.get(status, ("UNKNOWN", "unknown error"))
    if status == 429:
        headers = (*headers, ("Retry-After", str(retry_after)))
    x.answer({"errors": [{"code": code, "message": reason, "detail": None}]}, status, headers=headers)
