-- Two downloads, one over each family; see path-mtu.yaml.
local client, server = host "client", host "server"
local size <const> = 200000

for _, family in ipairs {4, 6} do
  server:spawn(function()
    local conn = server:tcp_listen(80, {family = family}):accept()
    expect_eq(conn:info().path_mtu, 1500, "nothing is known yet")
    conn:send(("m"):rep(size))
    conn:shutdown("send")
    conn:recv_all()
    expect_eq(conn:info().path_mtu, 1280, "IPv" .. family .. ": the ICMP error was heard")
    conn:close()
  end)

  client:spawn(function()
    local conn = client:tcp_connect(server, 80, {family = family})
    expect_eq(#conn:recv_all(), size, "IPv" .. family .. ": everything arrives")
    conn:close()
  end)
end
