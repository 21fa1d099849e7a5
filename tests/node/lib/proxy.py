"""The proxy between clients and the API server: toxiproxy, on a port of its own beside the real one."""

import json

from .layout import API_PORT, PROXY_PORT
from .shell import NodeError

CONTROL_PORT = 8474
CONFIG = [
    {"name": "api", "listen": f"0.0.0.0:{PROXY_PORT}", "upstream": f"127.0.0.1:{API_PORT}", "enabled": True}
]
# verb -> (toxic, the attribute that VALUE sets, what VALUE is if any). They act on the server's answers.
TOXICS = {
    "latency": ("latency", "latency", "ms added to each answer"),
    "bandwidth": ("bandwidth", "rate", "KB/s"),
    "cut-after": ("limit_data", "bytes", "bytes, then the connection is closed"),
    "hang": ("timeout", "timeout", None),
    "reset": ("reset_peer", "timeout", None),
}


def call(address, method, path, body=None):
    import urllib.request  # costs more than most verbs, which do without

    request = urllib.request.Request(
        f"http://{address}:{CONTROL_PORT}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            return json.loads(answer.read() or b"null")
    except OSError as error:  # URLError is one
        raise NodeError(f"the proxy: {error}") from None


def sound(address):
    """Whether it answers, and nothing is wrong with the line."""
    try:
        line = call(address, "GET", "/proxies/api")
    except NodeError:
        return False
    return line["enabled"] and not line["toxics"]


def apply(address, verb, value):
    if verb == "status":
        return call(address, "GET", "/proxies/api")
    if verb == "cut":
        return call(address, "POST", "/proxies/api", {"enabled": False})
    toxic, attribute, meaning = TOXICS[verb]
    if (value is None) != (meaning is None):
        raise NodeError(f"proxy {verb} takes {'a number: ' + meaning if meaning else 'no number'}")
    if any(present["name"] == verb for present in call(address, "GET", "/proxies/api/toxics")):
        call(address, "DELETE", f"/proxies/api/toxics/{verb}")
    return call(
        address,
        "POST",
        "/proxies/api/toxics",
        {"name": verb, "type": toxic, "stream": "downstream", "attributes": {attribute: value or 0}},
    )
