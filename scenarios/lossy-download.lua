-- The two sides of lossy-download.yaml.
local client, server = host "client", host "server"
local size <const> = 1000000

server:spawn(function()
  local conn = server:tcp_listen(80):accept()
  conn:send(("x"):rep(size))
  conn:close()
end)

client:spawn(function()
  local conn = client:tcp_connect("server", 80)
  local data = conn:recv_all()
  expect_eq(#data, size, "the whole file arrives")
  expect(data == ("x"):rep(size), "and is what was sent")
  conn:close()
end)
