# Runs an application whose image has no Python: waits until the keeper, in a container beside this one, has opened the
# gate, leaves the process id for it, passes SIGTERM on, and leaves the exit status for it. Without its keeper the
# application is killed: ECS stops such a task too, but only some seconds later, and until then nobody guards the files.
d=${KEEPER_LOCAL_DIR:-/tmp/keeper}
until [ -e "$d/gate" ]; do sleep 1; done
keeper=$(cat "$d/gate")
"$@" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT
echo "$child" > "$d/pid"
( while [ -d "/proc/$keeper" ]; do sleep 1; done; kill -KILL "$child" ) 2>/dev/null &
watcher=$!
while :; do
  wait "$child"
  status=$?
  kill -0 "$child" 2>/dev/null || break
done
echo "$status" > "$d/exit"
kill "$watcher" 2>/dev/null
exit "$status"
