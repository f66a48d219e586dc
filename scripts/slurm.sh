#!/bin/bash
# A throw-away SLURM on this machine, for tests: scripts/slurm.sh up|down|status
#
# `up` installs Debian's packages when they are missing (root and apt), then starts munge, MariaDB, slurmdbd,
# slurmctld and two slurmds without systemd. A SLURM that answers already is left alone, whoever started it; so is
# a configuration that this script did not write. `down` ends only what `up` started. Each prints one line.
set -u
state=/run/herd-slurm
log=/var/log/slurm
mark='# Written by scripts/slurm.sh of herd: a throw-away cluster for tests.'
nodes='herd1 herd2'

say() { printf '%s\n' "$*"; }
die() {
  printf 'Cannot start SLURM: %s\n' "$*" >&2
  exit 1
}
answers() { timeout 15 sinfo -h -o %T 2>/dev/null | grep -Eq 'idle|mixed|alloc'; }
# until_true SECONDS COMMAND…
until_true() {
  local end=$((SECONDS + $1))
  shift
  while ! "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.25
  done
}
describe() {
  say "SLURM $(sinfo --version | cut -d' ' -f2) runs: $(sinfo -h -N -o %N | sort -u | wc -l) nodes, partition $(sinfo -h -o %R | sort -u | paste -sd,)$1"
}
# Remembers a daemon that was started here, with its start time, so that `down` ends that process and no other.
remember() {
  local pid=$2 fields
  fields=$(sed 's/.*) //' "/proc/$pid/stat") || die "$1 ended at once, see $log"
  printf '%s %s %s\n' "$1" "$pid" "$(cut -d' ' -f20 <<<"$fields")" >>"$state/started"
}
pid_of_file() { [ -s "$1" ] && kill -0 "$(cat "$1")"; }
# start NAME PIDFILE COMMAND…: for daemons that put themselves in the background.
start() {
  local name=$1 file=$2
  shift 2
  pid_of_file "$file" 2>/dev/null && return 0
  rm -f "$file"
  "$@" >>"$log/$name.start.log" 2>&1 || die "$name ended with $?, see $log/$name.start.log"
  until_true 20 pid_of_file "$file" || die "$name wrote no $file, see $log"
  remember "$name" "$(cat "$file")"
}

install_packages() {
  local program
  for program in slurmctld slurmd slurmdbd mariadbd munged; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || break
    [ "$program" = munged ] && return 0
  done
  command -v apt-get >/dev/null || die 'its packages are not installed, and there is no apt-get'
  local out
  out=$(mktemp)
  # Services that the packages would start have no configuration yet.
  local policy=
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  fi
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends slurm-wlm slurmdbd mariadb-server munge; } >"$out" 2>&1
  local code=$?
  [ -z "$policy" ] || rm -f $policy
  [ $code = 0 ] || die "apt-get ended with $code: $(tail -n 3 "$out" | paste -sd' ')"
  rm -f "$out"
}

write_configuration() {
  mkdir -p /etc/slurm
  if [ -e /etc/slurm/slurm.conf ] && ! grep -qF "$mark" /etc/slurm/slurm.conf; then
    die '/etc/slurm/slurm.conf is there and not from this script; start that cluster or move the file away'
  fi
  local process=proctrack/linuxproc task=task/none gather=jobacct_gather/linux
  # Only cgroup v1 works without systemd in SLURM 22.05; it makes OUT_OF_MEMORY real.
  if [ -w /sys/fs/cgroup/memory ] && [ -w /sys/fs/cgroup/freezer ]; then
    process=proctrack/cgroup task=task/cgroup gather=jobacct_gather/cgroup
  fi
  cat >/etc/slurm/slurm.conf <<C
$mark
ClusterName=herd
SlurmctldHost=localhost
AuthType=auth/munge
SlurmUser=slurm
SlurmdUser=root
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd.%n
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurm/slurmd.%n.pid
SlurmctldLogFile=$log/slurmctld.log
SlurmdLogFile=$log/slurmd.%n.log
ProctrackType=$process
TaskPlugin=$task
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
JobAcctGatherType=$gather
JobAcctGatherFrequency=task=1
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
MinJobAge=60
KillWait=2
InactiveLimit=0
SlurmdParameters=config_overrides
C
  local port=17000 node
  for node in $nodes; do
    port=$((port + 1))
    printf 'NodeName=%s NodeHostname=localhost NodeAddr=127.0.0.1 Port=%s CPUs=8 RealMemory=8000 State=UNKNOWN\n' "$node" $port
  done >>/etc/slurm/slurm.conf
  say 'PartitionName=short Nodes=ALL Default=YES MaxTime=60 State=UP' >>/etc/slurm/slurm.conf
  cat >/etc/slurm/cgroup.conf <<'C'
CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
ConstrainRAMSpace=yes
ConstrainSwapSpace=no
ConstrainCores=no
ConstrainDevices=no
C
  [ $task = task/cgroup ] || rm -f /etc/slurm/cgroup.conf
  cat >/etc/slurm/slurmdbd.conf <<C
AuthType=auth/munge
DbdHost=localhost
SlurmUser=slurm
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
LogFile=$log/slurmdbd.log
PidFile=/run/slurm/slurmdbd.pid
C
  chown slurm: /etc/slurm/slurmdbd.conf
  chmod 600 /etc/slurm/slurmdbd.conf
}

start_munge() {
  mkdir -p /run/munge /var/log/munge /var/lib/munge /etc/munge
  chown munge: /run/munge /var/log/munge /var/lib/munge /etc/munge
  chmod 755 /run/munge
  munge -n >/dev/null 2>&1 && return 0
  if [ ! -s /etc/munge/munge.key ]; then
    head -c 1024 /dev/urandom >/etc/munge/munge.key
    chown munge: /etc/munge/munge.key
    chmod 400 /etc/munge/munge.key
  fi
  start munged /run/munge/munged.pid runuser -u munge -- munged --force
}

start_database() {
  mkdir -p /run/mysqld
  chown mysql: /run/mysqld
  if ! mariadb -e 'select 1' >/dev/null 2>&1; then
    [ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=mysql >>"$log/mariadb.log" 2>&1
    setsid mariadbd --user=mysql --bind-address=127.0.0.1 </dev/null >>"$log/mariadb.log" 2>&1 &
    local pid=$!
    until_true 60 mariadb -e 'select 1' || die "MariaDB does not answer, see $log/mariadb.log"
    remember mariadbd $pid
  fi
  mariadb -e "create database if not exists slurm_acct_db;
    create user if not exists 'slurm'@'localhost' identified by 'slurm';
    grant all on slurm_acct_db.* to 'slurm'@'localhost';" || die 'MariaDB refuses the accounting database'
}

up() {
  if command -v sinfo >/dev/null && answers; then
    describe ' (it ran already)'
    return
  fi
  [ "$(id -u)" = 0 ] || die 'that needs root'
  install_packages
  PATH=$PATH:/usr/sbin:/sbin
  write_configuration
  mkdir -p $state $log /run/slurm /var/spool/slurmctld
  chown slurm: $log /run/slurm /var/spool/slurmctld
  start_munge
  start_database
  start slurmdbd /run/slurm/slurmdbd.pid runuser -u slurm -- slurmdbd
  until_true 30 timeout 5 sacctmgr -n show cluster || die "slurmdbd does not answer, see $log/slurmdbd.log"
  timeout 20 sacctmgr -i add cluster herd >/dev/null 2>&1
  start slurmctld /run/slurm/slurmctld.pid slurmctld
  local node
  for node in $nodes; do
    mkdir -p "/var/spool/slurmd.$node"
    start "slurmd.$node" "/run/slurm/slurmd.$node.pid" slurmd -N "$node"
  done
  until_true 30 answers || die "no node came up, see $log"
  local note=' (started)'
  grep -q task/none /etc/slurm/slurm.conf && note=' (started; without memory limits: no writable cgroup v1)'
  describe "$note"
}

# Ends one remembered process, unless its number belongs to another by now.
stop() {
  local name=$1 pid=$2 since=$3 tries=80
  alive() { [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)" = "$since" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; }
  alive || return 0
  kill -TERM "$pid" 2>/dev/null
  while alive && [ $tries -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.25
  done
  alive && kill -KILL "$pid" 2>/dev/null
  return 0
}

down() {
  if [ ! -s $state/started ]; then
    say 'Nothing to stop: no SLURM was started by this script'
    return
  fi
  local name pid since count=0
  scancel -u "$(id -un)" >/dev/null 2>&1
  # The last started first: nodes, controller, accounting, database, munge.
  while read -r name pid since; do
    stop "$name" "$pid" "$since"
    count=$((count + 1))
  done < <(tac $state/started)
  rm -rf $state
  say "SLURM is stopped ($count daemons)"
}

status() {
  if command -v sinfo >/dev/null && answers; then
    describe ''
  else
    say 'No SLURM answers here'
    return 1
  fi
}

case ${1-} in
  up | down | status) "$1" ;;
  *)
    say 'Usage: scripts/slurm.sh up|down|status' >&2
    exit 2
    ;;
esac
