#!/bin/sh
# As root: the volume's directories, seeds only where nothing is, and the owner.
uid=$(id -u)
if [ "$uid" != 0 ] && [ "$uid" != 10000 ]; then
  echo "[stage2] ERROR: container started with --user $uid (an arbitrary, non-hermes UID)." >&2
  exit 1
fi
cd "$HERMES_HOME" || exit 1
mkdir -p backups cron sessions logs/gateways hooks memories skills skins plans workspace home pairing platforms/pairing \
  lazy-packages
for seed in .env config.yaml SOUL.md; do
  [ -f "$seed" ] || cp "/opt/hermes/docker/seed/$seed" "$seed"
done
chmod 600 .env
chmod 640 config.yaml
[ "$uid" = 0 ] || exit 0
[ "$(stat -c %u .)" = 10000 ] || chown -R hermes:hermes .
chown hermes:hermes ./* ./.[!.]*
chmod u+rw ./* ./.[!.]*
chown -R hermes:hermes backups cron sessions logs hooks memories skills skins plans workspace home pairing platforms \
  lazy-packages
