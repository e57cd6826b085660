#!/bin/sh
# Our HTTP client fetches from a real server.
# SPDX-License-Identifier: MIT
need python3
mkdir "$DIRECTORY/www"
head -c 2000000 /dev/urandom >"$DIRECTORY/www/file"
(cd "$DIRECTORY/www" && exec python3 -m http.server 8000 --bind :: >"$DIRECTORY/server" 2>&1) &
cat >"$DIRECTORY/expect" <<END
expect:
  - {app: us/http-get, messages-received: 1, bytes-received: "> 2000000"}
  - {app: six, messages-received: 1}
END
file=$(scenario "" "" "- {host: us, http-get: \"$KERNEL4:8000\", path: /file, start: 1500ms}
- {host: us, name: six, http-get: \"[$KERNEL6]:8000\", path: /file, start: 1500ms}")
cat "$DIRECTORY/expect" >>"$file"
bridge_up "$file" --for 4s
wait "$HOST_PID" || fail "$(cat "$DIRECTORY/log" "$DIRECTORY/server")"
HOST_PID=
