"""The MiniMax Anthropic Messages API on its two hosts: a model that repeats the question."""

import json
import time

from credentials import CN_HOST, GLOBAL_HOST, KEYS

HOSTS = (GLOBAL_HOST, CN_HOST)
MODELS = ("MiniMax-M3", "MiniMax-M2.7", "MiniMax-M2.5")
ERRORS = {
    400: ("invalid_request_error", "invalid params (2013)"),
    401: ("authentication_error", "invalid api key (2049)"),
    404: ("not_found_error", "404 page not found"),
    429: ("rate_limit_error", "rate limit exceeded (1002)"),
    529: ("overloaded_error", "the server cluster is currently under high load (2064)"),
}


class Model:
    def __init__(self, faults):
        self.faults = faults
        self.serial = 0

    def handle(self, x):
        method = x.route.rstrip("/").rpartition("/")[2]
        method = (
            "count_tokens"
            if method == "count_tokens"
            else "messages" if method == "messages" else ("models" if "models" in x.route else "other")
        )
        name = self.key_name(x)
        x.label = f"model.{method} {name or 'unknown-key'}"
        body = x.body()
        try:
            self.dispatch(x, method, name, body)
        finally:
            self.faults.count("model", method, x.status)

    def key_name(self, x):
        """The key's name if it is good for this host; a key of the other region is none."""
        key = x.headers.get("x-api-key") or ""
        scheme, _, bearer = (x.headers.get("Authorization") or "").partition(" ")
        name, host = KEYS.get(key or (bearer.strip() if scheme.lower() == "bearer" else ""), ("", ""))
        return name if host == x.host else ""

    def dispatch(self, x, method, name, body):
        hits = self.faults.hits("model", method, name)
        x.apply_delays("model", hits)
        if not name or "reject" in hits:
            return error(x, 401)
        if "status" in hits:
            return error(x, hits["status"].value, hits["status"].retry_after)
        if method == "models" and x.command == "GET":
            return x.answer(models())
        if x.command != "POST" or method not in ("messages", "count_tokens"):
            return error(x, 404)
        try:
            asked = json.loads(body)
            text = said(asked)
        except (ValueError, KeyError, TypeError, AttributeError):
            return error(x, 400)
        if method == "count_tokens":
            return x.answer({"input_tokens": len(body) // 4})
        self.serial += 1
        reply = "" if "empty" in hits else f"pong from the stand-in model: you said '{text}'"
        message = envelope(f"msg_{self.serial:08x}", asked.get("model", MODELS[0]))
        if asked.get("stream"):
            return x.answer(stream(message, reply), kind="text/event-stream")
        message.update(content=[{"type": "text", "text": reply}] if reply else [], stop_reason="end_turn")
        return x.answer(message)


def said(asked):
    """What the person wrote last: the last text of the last user message that has one."""
    for message in reversed(asked["messages"]):
        if message.get("role") != "user":
            continue
        content = message.get("content")
        texts = (
            [content]
            if isinstance(content, str)
            else [
                block["text"]
                for block in content
                if block.get("type") == "text" and block.get("text", "").strip()
            ]
        )
        if texts:
            return heard(texts[-1])
    return ""


def heard(text):
    """What the answer repeats. The gateway puts notes for the model after what the person said."""
    return text.split("\n\n[")[0].strip()[:400]


def models():
    data = [
        {"id": name, "type": "model", "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
        for name in MODELS
    ]
    return {"data": data, "first_id": MODELS[0], "last_id": MODELS[-1], "has_more": False}


def envelope(message_id, model):
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1},
    }


def stream(message, reply):
    events = [("message_start", {"message": message})]
    if reply:
        half = len(reply) // 2
        events.append(("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}))
        for part in (reply[:half], reply[half:]):
            events.append(
                ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": part}})
            )
        events.append(("content_block_stop", {"index": 0}))
    events.append(
        (
            "message_delta",
            {
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": len(reply) // 4},
            },
        )
    )
    events.append(("message_stop", {}))
    return "".join(
        f"event: {name}\ndata: {json.dumps({'type': name, **content})}\n\n" for name, content in events
    ).encode()


def error(x, status, retry_after=0):
    kind, reason = ERRORS.get(status, ("api_error", "unknown error (1000)"))
    content = {
        "type": "error",
        "error": {"type": kind, "message": reason, "http_code": str(status)},
        "request_id": f"{time.time_ns():x}",
    }
    x.answer(content, status, headers=(("Retry-After", str(retry_after)),) if status == 429 else ())
