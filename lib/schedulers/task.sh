# The part below is the same for every task: it runs one trial and tells herd of its start, signals and end.
set +eu +o posix
unset CDPATH
task=${HERD_TASK:-$SLURM_ARRAY_TASK_ID} group=
if [ -n "$HERD_TASK" ]; then
  job=${HERD_JOB_ID:-local} restart=${HERD_RESTART:-0} host=$HOSTNAME
else
  job=${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID} restart=${SLURM_RESTART_COUNT:-0} host=${SLURMD_NODENAME:-$HOSTNAME}
  group=${SLURM_JOB_ID:+job_$SLURM_JOB_ID}
fi
unset HERD_TASK HERD_JOB_ID
if ! [[ $task =~ ^(0|[1-9][0-9]{0,8})$ ]]; then
  printf 'herd: this script is one task of a job array and runs only as such (task "%s")\n' "$task" >&2
  exit 1
fi
record=$events/$task.tsv torn=
[ -s "$record" ] && torn=$'\n'

# A record that cannot be written must not stop the trial; a torn one is closed by the next.
tell() {
  local IFS=$'\t' t=$EPOCHREALTIME
  # The decimal point is the locale's, and bash before 5.0 has no such clock.
  if [ -n "$t" ]; then t=${t%%[!0-9]*}.${t##*[!0-9]}; else t=$(date +%s.%N); fi
  if { printf '%s%s\t%s\t%s\t%s\t.\n' "$torn" "$t" "${job}_$task" "$restart" "$*" >>"$record"; } 2>/dev/null
  then torn=; else torn=$'\n'; fi
}
# The most memory that the job's own control group held: SLURM samples, and of a short job has no sample.
# Groups of anybody else's are not looked at.
peak() {
  local kinds path file
  bytes=
  [ -n "$group" ] || return 0
  while IFS=: read -r _ kinds path; do
    [[ $path/ == */"$group"/* ]] || continue
    path+=/
    path=${path%%/"$group"/*}/$group
    case ,$kinds, in
      ,,) file=/sys/fs/cgroup$path/memory.peak ;;
      *,memory,*) file=/sys/fs/cgroup/memory$path/memory.max_usage_in_bytes ;;
      *) continue ;;
    esac
    read -r bytes <"$file" && [[ $bytes =~ ^[1-9][0-9]*$ ]] && return 0
    bytes=
  done </proc/self/cgroup
} 2>/dev/null
tell_end() {
  local bytes
  peak
  tell "$1" "rc=$2" ${bytes:+"peak=$bytes"}
}
give_up() {
  printf 'herd: %s (node %s)\n' "$2" "$host" >&2
  tell "done" "rc=$1"
  exit "$1"
}

# herd gave this submission up before it arrived: its trials may run elsewhere by now.
if [ -e "$void" ]; then
  printf 'herd: submission %s was given up before it arrived, so nothing runs here\n' "$submission" >&2
  tell void "host=$host" "pid=$$"
  # No success: whoever sees this end before the record must not take the trial for done.
  exit 75
fi

tell start "host=$host" "pid=$$"
trap 'tell_end exit "$?"' EXIT
[ -r "$table" ] || give_up 127 "Cannot read the table of trials \"$table\": is its file system mounted here?"
row=()
[ "$task" -ge "$first" ] && mapfile -t -s $((task - first)) -n 1 row <"$table"
fields=()
split() {
  local LC_ALL=C rest=$1 one
  while :; do
    one=${rest%%$'\t'*}
    printf -v one '%b' "$one"
    fields+=("$one")
    [[ $rest == *$'\t'* ]] || break
    rest=${rest#*$'\t'}
  done
}
split "${row[0]}"
[ "${fields[0]}" = "$task" ] || give_up 1 "Task $task is not in the table of trials \"$table\""
trial=${fields[1]} attempt=${fields[2]} log=${fields[3]} name=${fields[4]}
tokens=("${fields[@]:5}")
overrides="${tokens[*]}"

# The file of a task whose number is not its trial's is found under the trial's number as well.
link() {
  local file at=$logs/$log.$2
  file=$(readlink "/proc/$$/fd/$1" 2>/dev/null)
  file=${file##*/}
  [ -n "$file" ] && [ -e "$logs/$file" ] && [ "$file" != "$log.$2" ] || return 0
  if [ -e "$at" ] && [ ! -L "$at" ]; then mv -n -- "$at" "$at.before-$submission"; fi
  ln -sfn -- "$file" "$at"
}
if [ -n "$log" ]; then link 1 out; link 2 err; fi

printf -v line '===== herd: trial %s, attempt %s, job %s_%s, restart %s, node %s, %(%Y-%m-%dT%H:%M:%S%z)T =====' \
  "$trial" "$attempt" "$job" "$task" "$restart" "$host" -1
printf '%s\n' "$line"
printf '%s\n' "$line" >&2

export HYPERHERD_WORKSPACE=$workspace HYPERHERD_SWEEP_NAME=$sweep HYPERHERD_TRIAL_ID=$trial
export HYPERHERD_TRIAL_NAME=$name HYPERHERD_EXPERIMENT_NAME=$name
export HERD_ATTEMPT=$attempt HERD_RESTART=$restart HERD_BIN=$herd
cd -- "$workspace" 2>/dev/null || give_up 127 "Cannot enter the workspace \"$workspace\": is its file system mounted here?"
[ -r "$launcher" ] || give_up 127 "Cannot read the launcher \"$launcher\" in \"$workspace\""
# Launchers made for HyperHerd may use "$@" or $2 and are called as it does; "${@:2}" asks for the tokens.
mapfile -t text <"$launcher"
[[ ${text[*]} == *@:2* ]] || tokens=()

# The pipe tells the heartbeat when this shell is gone, however it went; a sleep would be left behind.
exec {beat}> >(
  trap '' $signals
  while :; do
    read -r -t "$heartbeat" _
    [ $? -gt 128 ] || exit
    touch -- "$record"
  done >/dev/null 2>&1
)
# Not `read -t`: in a shell whose traps read files too, its timer may be lost and it waits for ever.
nap() { sleep "$1" || sleep 1; } 2>/dev/null

# Living processes of the launcher's group and their parents. A name in stat may hold anything, line breaks too.
members() {
  local directory stat
  pids=() parents=' '
  for directory in /proc/[0-9]*; do
    stat=
    read -r -d '' stat <"$directory/stat"
    set -- ${stat##*) }
    if [ "$3" = "$child" ] && [ "$1" != Z ] && [ "$1" != X ]; then pids+=("${directory#/proc/}") parents+="$2 "; fi
  done
} 2>/dev/null
# Signals that ask for an end go to all but shells that merely wait for another process, so that a
# trainer can save its state and its own exit code comes through; other signals would kill who does not catch them.
forward() {
  local number pid key value catches shell
  number=$(kill -l "$1")
  members
  for pid in "${pids[@]}"; do
    catches=0 shell=0
    while read -r key value; do
      case $key in
        SigCgt:) catches=$((0x$value >> (number - 1) & 1)) ;;
        Name:) case $value in bash | sh | dash | ash | ksh | zsh) shell=1 ;; esac ;;
      esac
    done <"/proc/$pid/status"
    if [ $catches = 0 ]; then
      case $1 in TERM | INT | XCPU) ;; *) continue ;; esac
      [ $shell = 1 ] && [[ $parents == *" $pid "* ]] && continue
    fi
    kill -s "$1" "$pid"
  done
} 2>/dev/null
child= got= ending=
receive() {
  got=$1
  case $1 in TERM | INT | XCPU) ending=$1 ;; esac
  tell sig "$1"
  [ -n "$child" ] && forward "$1"
}
for signal in $signals; do trap "receive $signal" "$signal"; done

[ -z "$ending" ] || exit 143
got=
set -m
bash "$launcher" "$overrides" "${tokens[@]}" </dev/null {beat}>&- &
child=$!
set +m
# It came while the launcher was being started.
if [ -n "$got" ]; then forward "$got"; fi
# Whether the launcher's own process is there and no zombie.
lives() {
  local stat=
  read -r -d '' stat <"/proc/$child/stat"
  set -- ${stat##*) }
  [ -n "$1" ] && [ "$1" != Z ] && [ "$1" != X ]
} 2>/dev/null
got=
wait "$child"
code=$?
if [ -n "$got" ]; then
  # A signal cut the wait short. A child that ends in just that moment, as when SLURM tells all of a job's
  # processes to end, is lost to bash, whose next wait for it never returns: so it is waited for only when gone.
  while lives; do nap 0.2; done
  running=$(jobs -rp)
  case $'\n'$running$'\n' in
    *$'\n'"$child"$'\n'*) code=$((128 + $(kill -l "$got"))) ;;
    *)
      wait "$child"
      code=$?
      ;;
  esac
fi
tell_end "done" "$code"

# After a signal the group has the time that the scheduler gives it; without one, what the launcher left
# running is ended as SLURM would, so that a forgotten background process does not hold the job.
naps=0
while kill -0 "-$child" 2>/dev/null && members && [ ${#pids[@]} -gt 0 ]; do
  nap 0.5
  [ -n "$ending" ] && continue
  naps=$((naps + 1))
  case $naps in
    20) kill -s TERM "-$child" 2>/dev/null ;;
    40) kill -s KILL "-$child" 2>/dev/null ;;
  esac
done
exit "$code"
