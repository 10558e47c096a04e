#!/bin/sh
# Boots systemd as the first process of namespaces of its own, with the units of infra/systemd and no others.
# It sees this machine's files, but what is written to /etc, /opt, /run and /var/lib lies in memory and goes with it.
# Arguments: the folder that is to be /opt/trainger, the settings that are to be /etc/trainger.env, the units' folder,
# and a folder of additions to units.
set -eu
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
# Version 2 alone, also where the machine has version 1: whoever finds it so uses nothing else.
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for folder in etc opt var/lib; do
  mkdir -p "/run/over/$folder" "/run/work/$folder"
  mount -t overlay -o "lowerdir=/$folder,upperdir=/run/over/$folder,workdir=/run/work/$folder" overlay "/$folder"
done
useradd --system --home-dir /var/lib/trainger --no-create-home --shell /usr/sbin/nologin trainger
mkdir -p /opt/trainger
mount --bind "$1" /opt/trainger
install -m 600 "$2" /etc/trainger.env
units=/run/units
mkdir -p "$units/trainger.target.wants"
cp "$3"/*.service "$3"/*.target "$units"
cp -r "$4"/. "$units"
for name in sysinit basic shutdown umount final network-online multi-user; do
  printf '[Unit]\nDefaultDependencies=no\n' > "$units/$name.target"
done
ln -s ../trainger-http.service ../trainger-worker.service "$units/trainger.target.wants"
exec env -i "PATH=$PATH" container=other SYSTEMD_UNIT_PATH="$units" SYSTEMD_GENERATOR_PATH=/run/none \
  /lib/systemd/systemd --system --unit=trainger.target --log-target=console --log-level=info --show-status=no
