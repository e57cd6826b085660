-- A download through the narrow link; see path-mtu.yaml.
local client, server = host "client", host "server"
local size <const> = 200000

server:spawn(function()
  local conn = server:tcp_listen(80):accept()
  expect_eq(conn:info().path_mtu, 548, "nothing is known yet")
  conn:send(("m"):rep(size))
  conn:shutdown("send")
  conn:recv_all()
  expect_eq(conn:info().path_mtu, 400, "the ICMP error was heard")
  conn:close()
end)

client:spawn(function()
  local conn = client:tcp_connect(server, 80)
  expect_eq(#conn:recv_all(), size, "everything arrives")
  conn:close()
end)
