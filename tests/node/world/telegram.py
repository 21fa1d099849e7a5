"""The Telegram Bot API as far as a polling bot needs it: updates with offsets, webhooks, messages, errors."""

import html
import json
import re
import time

from credentials import BOTS, TOKENS
from web import Gone

POLL_LIMIT = 50.0
# Users with a name of their own; every other one is called User.
NAMES = {222222222: {"first_name": "Bob", "last_name": "Second", "username": "bob_second"}}
TRUE_METHODS = frozenset(
    (
        "setMyCommands",
        "deleteMyCommands",
        "sendChatAction",
        "deleteMessage",
        "setMessageReaction",
        "answerCallbackQuery",
        "logOut",
        "close",
        "setMyName",
        "setMyDescription",
        "setMyShortDescription",
        "setChatMenuButton",
        "pinChatMessage",
        "unpinChatMessage",
    )
)
REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    429: "Too Many Requests: retry after {}",
    500: "Internal Server Error",
    502: "Bad Gateway",
}
WEBHOOK_CONFLICT = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)


class Bot:
    """One bot's side of the conversation. Everything here is guarded by the condition of Faults."""

    def __init__(self, name):
        self.name = name
        self.user = {
            **BOTS[name],
            "is_bot": True,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        self.updates = []
        self.webhook = ""
        self.update_id = 500000000
        self.message_id = 0
        self.poll = 0  # the newest getUpdates; an older one that still waits is told 409

    def next_message(self):
        self.message_id += 1
        return self.message_id

    def confirm(self, offset):
        if offset < 0:
            self.updates = self.updates[offset:]
        elif offset:
            self.updates = [u for u in self.updates if u["update_id"] >= offset]


class Telegram:
    def __init__(self, faults):
        self.faults = faults
        self.changed = faults.changed
        self.bots = {name: Bot(name) for name in BOTS}
        self.sent = []

    def say(self, bot, user, text):
        """A user writes in a private chat. Returns how many messages bots had sent before."""
        dropped = "drop" in self.faults.hits("telegram", "say")
        with self.changed:
            bot, before = self.bots[bot], len(self.sent)
            bot.update_id += 1
            person = {"id": user, **called(user), "is_bot": False, "language_code": "en"}
            message = {
                "message_id": bot.next_message(),
                "date": int(time.time()),
                "from": person,
                "text": text,
                "chat": {"id": user, **called(user), "type": "private"},
            }
            if text.startswith("/"):
                command = text.split()[0]
                message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command)}]
            if not dropped:
                bot.updates.append({"update_id": bot.update_id, "message": message})
            self.changed.notify_all()
        return before

    def handle(self, x):
        token, _, method = x.route.removeprefix("/bot").rpartition("/")
        # a path without a method ends in the token, which is not for the log
        method = method if token and method.isalpha() else "-"
        name, bot = TOKENS.get(token, ("unknown-token", ""))
        fields = x.fields()
        x.label = f"telegram.{method[:40]} {name}"
        try:
            self.dispatch(x, method, name, self.bots.get(bot), fields)
        finally:
            self.faults.count("telegram", method, x.status)

    def dispatch(self, x, method, name, bot, fields):
        hits = self.faults.hits("telegram", method, name, counted=method == "getMe")
        x.apply_delays("telegram", hits)
        if not bot or "reject" in hits:
            return error(x, 401)
        if "status" in hits:
            return error(x, hits["status"].value, retry_after=hits["status"].retry_after)
        call = getattr(self, f"on_{method}", None)
        if call:
            return call(x, bot, fields)
        return result(x, True) if method in TRUE_METHODS else error(x, 404)

    def on_getMe(self, x, bot, _):
        result(x, bot.user)

    def on_getUpdates(self, x, bot, fields):
        end = time.monotonic() + min(number(fields, "timeout"), POLL_LIMIT)
        limit = number(fields, "limit") or 100
        with self.changed:
            bot.poll += 1
            mine = bot.poll
            bot.confirm(number(fields, "offset"))
            self.changed.notify_all()
            while not bot.updates and bot.poll == mine and not bot.webhook and time.monotonic() < end:
                self.changed.wait(min(0.5, max(0.0, end - time.monotonic())))
                if x.client_left():
                    raise Gone
            found = bot.updates[:limit]
            overtaken, webhook = bot.poll != mine, bot.webhook
        if webhook:
            return error(x, 409, WEBHOOK_CONFLICT)
        return error(x, 409) if overtaken else result(x, found)

    def on_sendMessage(self, x, bot, fields):
        self.post(x, bot, fields, "sendMessage")

    def on_editMessageText(self, x, bot, fields):
        self.post(x, bot, fields, "editMessageText")

    def post(self, x, bot, fields, method):
        if not fields.get("text") or not fields.get("chat_id"):
            return error(x, 400, "Bad Request: message text is empty")
        chat = number(fields, "chat_id")
        with self.changed:
            message_id = number(fields, "message_id") or bot.next_message()
            self.sent.append(
                {
                    "n": len(self.sent),
                    "bot": bot.name,
                    "method": method,
                    "chat_id": chat,
                    "message_id": message_id,
                    "text": shown(fields),
                }
            )
            self.changed.notify_all()
        result(
            x,
            {
                "message_id": message_id,
                "date": int(time.time()),
                "from": bot.user,
                "text": fields["text"],
                "chat": {"id": chat, "type": "private", "first_name": "User"},
            },
        )

    def on_getChat(self, x, _bot, fields):
        user = number(fields, "chat_id")
        result(
            x,
            {
                "id": user,
                "type": "private",
                **called(user),
                "accent_color_id": 0,
                "max_reaction_count": 11,
            },
        )

    def on_getMyCommands(self, x, _bot, _fields):
        result(x, [])

    def on_getWebhookInfo(self, x, bot, _):
        with self.changed:
            info = {
                "url": bot.webhook,
                "has_custom_certificate": False,
                "pending_update_count": len(bot.updates),
            }
        result(x, info)

    def on_setWebhook(self, x, bot, fields):
        self.set_webhook(bot.name, str(fields.get("url", "")))
        result(x, True)

    def on_deleteWebhook(self, x, bot, fields):
        self.set_webhook(bot.name, "")
        if str(fields.get("drop_pending_updates", "")).lower() == "true":
            with self.changed:
                bot.updates.clear()
        result(x, True)

    def set_webhook(self, bot, url):
        with self.changed:
            self.bots[bot].webhook = url
            self.changed.notify_all()


def called(user):
    return NAMES.get(user, {"first_name": "User"})


def shown(fields):
    """The text as a person sees it: Telegram takes the escapes of the parse mode away."""
    mode, text = str(fields.get("parse_mode", "")), str(fields["text"])
    if mode.startswith("Markdown"):
        return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text)
    return html.unescape(text) if mode == "HTML" else text


def number(fields, name):
    try:
        return int(float(fields.get(name) or 0))
    except (TypeError, ValueError):
        return 0


def result(x, content):
    x.answer({"ok": True, "result": content})


def error(x, status, reason="", retry_after=0):
    reason = (reason or REASONS.get(status, "Internal Server Error")).format(retry_after)
    content = {"ok": False, "error_code": status, "description": reason}
    headers = ()
    if status == 429:
        content["parameters"] = {"retry_after": retry_after}
        headers = (("Retry-After", str(retry_after)),)
    x.answer(json.dumps(content).encode(), status, headers=headers)
