#!/bin/sh
# curl gets generated bodies, chunks and files from our HTTP server.
# SPDX-License-Identifier: MIT
need curl
mkdir "$DIRECTORY/www"
head -c 3000000 /dev/urandom >"$DIRECTORY/www/file"
bridge_up "$(scenario "" "" "- {host: us, http: 80, root: \"$DIRECTORY/www\"}")"
get() { curl -sS --fail --max-time 10 "$@"; }
get "http://$US4/" | grep -q Wirebed
get "http://$US4/file" | cmp - "$DIRECTORY/www/file"
get "http://[$US6]/file" | cmp - "$DIRECTORY/www/file"
[ "$(get "http://$US4/bytes/1000000" | wc -c)" -eq 1000000 ]
[ "$(get "http://$US4/chunked/1000000" | wc -c)" -eq 1000000 ]
get "http://$US4/chunked/70000" >"$DIRECTORY/a"
get "http://$US4/bytes/70000" | cmp - "$DIRECTORY/a"
# Keep-alive: one connection for three requests.
[ "$(get -o "$DIRECTORY/1" -o "$DIRECTORY/2" -o "$DIRECTORY/3" -w '%{num_connects}' \
    "http://$US4/bytes/10" "http://$US4/chunked/0" "http://$US4/bytes/0")" = 100 ]
get --http1.0 "http://$US4/bytes/5000" -o "$DIRECTORY/4"
get -I "http://$US4/file" | grep -qi "content-length: 3000000"
[ "$(curl -sS -o "$DIRECTORY/5" -w '%{http_code}' "http://$US4/../etc/passwd" --path-as-is)" = 404 ]
[ "$(curl -sS -o "$DIRECTORY/6" -w '%{http_code}' -d x "http://$US4/")" = 501 ]
stop
