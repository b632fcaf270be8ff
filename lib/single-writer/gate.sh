# Runs an application whose image has no Python: waits until the keeper, in a container beside this one, has opened the
# gate, leaves the process id for it, passes SIGTERM on, and leaves the exit status for it.
d=${KEEPER_LOCAL_DIR:-/tmp/keeper}
until [ -e "$d/gate" ]; do sleep 1; done
"$@" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT
echo "$child" > "$d/pid"
while :; do
  wait "$child"
  status=$?
  kill -0 "$child" 2>/dev/null || break
done
echo "$status" > "$d/exit"
exit "$status"
