#!/bin/sh
# A Lua script builds the network and serves the kernel.
# SPDX-License-Identifier: MIT
cat >"$DIRECTORY/s.lua" <<'END'
local us = host("us", {address = "10.9.0.2/24"})
tap("tap0", {kind = "tap"})
link("lan", {ends = {us, "tap0"}, delay = "1ms"})
us:spawn(function()
  local listener = us:tcp_listen(77)
  while true do
    local conn = listener:accept()
    conn:send("hello from " .. us:name())
    conn:close()
  end
end)
END
bridge_up "$DIRECTORY/s.lua"
need python3
python3 - <<'END'
import socket
s = socket.create_connection(("10.9.0.2", 77), timeout=5)
assert s.recv(100) == b"hello from us"
END
stop
