"""The world's stand-ins as one program: Bot API, model, registry front and plain listeners. See README.md."""

import argparse
import functools
import signal
import time

import control_socket
import listeners
import model
import registry
import web
from credentials import BOTS
from faults import Fault, Faults
from telegram import Telegram

TELEGRAM_HOST = "api.telegram.org"


class World:
    def __init__(self, upstream="", log=functools.partial(print, flush=True)):
        self.log = log
        self.faults = Faults()
        self.telegram = Telegram(self.faults)
        self.model = model.Model(self.faults)
        self.registry = registry.Registry(self.faults, upstream)
        self.hosts = {TELEGRAM_HOST: self.bot_api}
        self.hosts.update({host: self.model.handle for host in model.HOSTS})
        self.hosts.update({host: self.registry.handle for host in (*registry.HOSTS, registry.AUTH_HOST)})

    def service(self, host):
        return self.hosts.get(host, plain_host)

    def bot_api(self, x):
        if x.route.startswith("/bot"):
            return self.telegram.handle(x)
        return plain_host(x)

    def control(self, request):
        commands = {
            "say": self.say,
            "sent": self.sent,
            "wait": self.wait,
            "fault": self.fault,
            "webhook": self.webhook,
            "pending": self.pending,
            "reset": self.reset,
            "counters": self.counters,
            "ping": lambda _: "pong",
        }
        if request.get("command") not in commands:
            raise ValueError(f"no command {request.get('command')!r}")
        return commands[request["command"]](request)

    def say(self, request):
        return self.telegram.say(known_bot(request), int(request["user"]), request["text"])

    def sent(self, request):
        with self.faults.changed:
            return self.telegram.sent[request.get("since", 0) :]

    def wait(self, request):
        end = time.monotonic() + request["timeout"]
        with self.faults.changed:
            while True:
                for message in self.telegram.sent[request.get("since", 0) :]:
                    if matches(message, request):
                        return message
                if time.monotonic() >= end:
                    return None
                self.faults.changed.wait(max(0.0, end - time.monotonic()))

    def fault(self, request):
        fields = {
            k: request[k]
            for k in ("kind", "value", "name", "times", "after", "retry_after")
            if k in request
        }
        self.faults.add(request["service"], Fault(**fields, only=tuple(request.get("only", ()))))

    def webhook(self, request):
        self.telegram.set_webhook(known_bot(request), request["url"])

    def pending(self, _):
        with self.faults.changed:
            return {name: len(bot.updates) for name, bot in self.telegram.bots.items()}

    def reset(self, request):
        service = request.get("service", "")
        self.faults.reset(service)
        if service in ("", "telegram"):
            for name in self.telegram.bots:
                self.telegram.set_webhook(name, "")

    def counters(self, request):
        return self.faults.counters(request.get("zero", False))


def known_bot(request):
    bot = request.get("bot", "cage")
    if bot not in BOTS:
        raise ValueError(f"no bot {bot!r}")
    return bot


def matches(message, request):
    return (
        request.get("contains", "") in message["text"]
        and message["chat_id"] == request.get("user", message["chat_id"])
        and message["bot"] == request.get("bot", message["bot"])
    )


def plain_host(x):
    x.label = "host -"
    x.body()
    x.answer(f"a host of the world: {x.connection.getsockname()[0]}\n".encode(), kind="text/plain")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cert", required=True)
    options.add_argument("--key", required=True)
    options.add_argument("--state", required=True, help="directory of the control socket")
    options.add_argument("--registry", default="", help="plain registry to put Docker Hub's front before")
    options.add_argument("--address", default="0.0.0.0")
    options.add_argument("--https-port", type=int, default=443)
    options.add_argument("--http-port", type=int, default=80)
    options.add_argument("--listen", action="append", default=[], metavar="tcp|udp:ADDRESS:PORT,...")
    chosen = options.parse_args()
    world = World(chosen.registry)
    web.start(chosen.address, chosen.https_port, world, (chosen.cert, chosen.key))
    web.start(chosen.address, chosen.http_port, world)
    for spec in chosen.listen:
        listeners.start(spec)
    control_socket.serve(chosen.state, world.control)
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
