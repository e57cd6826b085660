-- The server sleeps while the client sends; see zero-window.yaml.
local client, server = host "client", host "server"
local size <const> = 100000

server:spawn(function()
  local conn = server:tcp_listen(80):accept()
  sleep("20s")
  expect_within(conn:get "unread", 8000, 17000, "the buffer is full")
  expect_eq(#conn:recv_all(), size, "everything arrives in the end")
  expect(now() < 25, "as soon as the window is open")
  conn:close()
end)

client:spawn(function()
  local conn = client:tcp_connect(server, 80)
  conn:send(("z"):rep(size))
  conn:close()
end)

client:spawn(function()
  sleep("10s")
  local retransmissions = client:counter("tcp.retransmitted")
  expect_eq(retransmissions, 0, "a probe is not a retransmission")
  expect(client:counter("tcp.zero-window-probes") >= 3, "probes are sent")
end)
