#!/bin/sh
# No arguments: the terminal interface. A program on PATH: that. Anything else: hermes with these arguments.
cd "$HERMES_HOME" || exit 1
export HOME="$HERMES_HOME"
[ $# -gt 0 ] || set -- hermes
command -v "$1" >/dev/null 2>&1 || set -- hermes "$@"
if [ "$(id -u)" = 0 ]; then
  exec s6-setuidgid hermes "$@"
fi
exec "$@"
