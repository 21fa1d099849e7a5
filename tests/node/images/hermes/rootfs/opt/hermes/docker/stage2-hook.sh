#!/bin/sh
# As root: hermes' ids, the volume's directories, seeds only where nothing is, and the owner. What the agent may have
# put there is never followed: a link in the volume would let it choose what root writes to.
uid=$(id -u)
if [ "$uid" != 0 ] && [ "$uid" != "$(id -u hermes)" ]; then
  echo "[stage2] ERROR: container started with --user $uid (an arbitrary, non-hermes UID)." >&2
  exit 1
fi
as_hermes() {
  if [ "$uid" = 0 ]; then s6-setuidgid hermes "$@"; else "$@"; fi
}
refused() {
  [ -L "$HERMES_HOME/$2" ] && echo "[stage2] Warning: refusing $1 through symlinked path $HERMES_HOME/$2 — continuing"
}
valid() {
  case "$1" in ''|*[!0-9]*) return 1 ;; esac
  [ "$1" -ge 1 ] && [ "$1" -le 65534 ]
}

new_uid=${HERMES_UID:-${PUID:-}}
new_gid=${HERMES_GID:-${PGID:-}}
if [ "$uid" = 0 ] && valid "$new_uid" && [ "$new_uid" != "$(id -u hermes)" ]; then
  echo "[stage2] Changing hermes UID to $new_uid"
  usermod -u "$new_uid" hermes
fi
if [ "$uid" = 0 ] && valid "$new_gid" && [ "$new_gid" != "$(id -g hermes)" ]; then
  echo "[stage2] Changing hermes GID to $new_gid"
  groupmod -o -g "$new_gid" hermes
fi

cd "$HERMES_HOME" || exit 1
[ "$uid" != 0 ] || chown hermes:hermes .
as_hermes mkdir -p backups cron sessions logs/gateways hooks memories skills skins plans workspace home pairing \
  platforms/pairing lazy-packages
if [ "$uid" = 0 ]; then
  for part in backups cron sessions logs hooks memories skills skins plans workspace home pairing platforms \
    lazy-packages; do
    refused "recursive chown" "$part" || chown -R hermes:hermes "$part"
  done
  find . -maxdepth 1 -type f -exec chown hermes:hermes {} + -exec chmod u+rw {} +
fi
for seed in .env config.yaml SOUL.md; do
  [ -f "$seed" ] || refused seed "$seed" || as_hermes cp "/opt/hermes/docker/seed/$seed" "$seed"
done
# with this key the gateway's api_server is on by itself, a second platform beside Telegram
if [ -f .env ] && ! grep -q '^API_SERVER_KEY=.' .env && ! refused append .env; then
  echo "API_SERVER_KEY=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" >> .env
  echo "[stage2] Generated API_SERVER_KEY for the loopback gateway api_server"
fi
[ ! -f .env ] || refused chmod .env || chmod 600 .env
[ ! -f config.yaml ] || refused chmod config.yaml || chmod 640 config.yaml
