#!/bin/sh
# As PID 1 everything runs under s6; as any other process (a shared process namespace) there is no supervision.
[ $$ = 1 ] && exec /init /opt/hermes/docker/main-wrapper.sh "$@"
/opt/hermes/docker/stage2-hook.sh || exit 1
exec /opt/hermes/docker/main-wrapper.sh "$@"
