-- A narrow link in the middle of the way, which only the routers know.
--
--   client ── lan ── west ── tunnel: MTU 1280 ── east ── net ── server
local client, server = host("client", {}), host("server", {})
local west, east = router("west", {}), router("east", {})
link("lan", {ends = {client, west}, delay = "1ms"})
link("tunnel", {ends = {west, east}, delay = "10ms", mtu = 1280})
link("net", {ends = {east, server}, delay = "1ms"})
local size <const> = 300000

server:spawn(function()
    local conn = server:tcp_listen(80):accept()
    expect_eq(#conn:recv_all(), size, "no black hole")
    conn:close()
end)

client:spawn(function()
    local conn = client:tcp_connect(server, 80)
    expect_eq(conn:info().path_mtu, 1500, "nothing is known yet")
    conn:send(("x"):rep(size))
    conn:shutdown("send")
    conn:recv_all()
    local info = conn:info()
    expect_eq(info.path_mtu, 1280, "what the router said")
    conn:close()

    local receiver = server:udp_socket(5000)
    local socket = client:udp_socket()
    socket:set("dont-fragment", false)
    expect_eq(socket:send_to(("x"):rep(3000), server, 5000), 3000)
    expect_eq(#receiver:recv{timeout = "1s"}, 3000, "in fragments")
    socket:set("dont-fragment", true)
    expect_eq({socket:send_to(("x"):rep(1400), server, 5000)},
              {nil, "EMSGSIZE"}, "the path is known to be narrower")
    expect_eq(socket:send_to(("x"):rep(1252), server, 5000), 1252)
    expect_eq(#receiver:recv{timeout = "1s"}, 1252)
end)
