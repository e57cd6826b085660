-- Sockets: both families, errors by name, timeouts, options.
-- SPDX-License-Identifier: MIT

local a = host("a", {address = {"10.0.0.1/24", "2001:db8::1/64"}})
local b = host("b", {address = {"10.0.0.2/24", "2001:db8::2/64"}})
local wire = link("wire", {ends = {a, b}, delay = "10ms"})
local data = ("0123456789abcdef"):rep(20000)

-- an echo server on both families, one task per connection
b:spawn(function()
    local listener = b:tcp_listen(7, {backlog = 10})
    while true do
        local conn = listener:accept()
        b:spawn(function()
            while true do
                local piece = conn:recv()
                if not piece then
                    break
                end
                conn:send(piece)
            end
            conn:close()
        end)
    end
end)

local function check_echo(family)
    local conn = assert(a:tcp_connect("b", 7, {family = family}))
    a:spawn(function()
        expect_eq(conn:send(data), #data)
        conn:shutdown("send")
    end)
    local back = conn:recv_all{timeout = "60s"}
    expect(back == data, "the echo is what was sent")
    expect_eq({conn:recv()}, {nil, "EOF"})
    local info = conn:info()
    expect_eq(info.bytes_acked, #data)
    expect_eq(info.bytes_received, #data)
    expect_within(info.srtt, "20ms", "60ms")
    expect(info.cwnd > 0 and info.rto > 0)
    local _, port = conn:remote_address()
    expect_eq(port, 7)
    conn:close()
    expect_eq(conn:is_open(), false)
    expect_eq({conn:recv()}, {nil, "EBADF"})
    expect_eq({conn:info()}, {nil, "EBADF"})
    conn:close()
end

a:spawn(function()
    sleep(3) -- duplicate address detection
    check_echo(4)
    check_echo(6)
end)

-- refusals by name
a:spawn(function()
    sleep(3)
    expect_eq({a:tcp_connect("b", 9)}, {nil, "ECONNREFUSED"})
    expect_eq({a:tcp_connect("10.9.9.9", 9)}, {nil, "ENETUNREACH"})
    expect_eq({a:tcp_connect("10.0.0.77", 9, {timeout = "100ms"})},
              {nil, "ETIMEDOUT"})
    expect_eq({b:tcp_listen(7)}, {nil, "EADDRINUSE"})
    local socket = a:udp_socket()
    expect_eq({socket:send("x")}, {nil, "EDESTADDRREQ", 0})
    expect_eq({a:tcp_socket():send("x")}, {nil, "EPIPE", 0})
    expect_eq({a:tcp_socket():recv()}, {nil, "ENOTCONN"})
    expect_eq({socket:listen()}, {nil, "EOPNOTSUPP"})
    local good, why = pcall(a.tcp_connect, a, "nobody", 9)
    expect_eq(good, false)
    expect(why:find("neither an address nor a host"), why)
    for _, wrong in ipairs{
        {a.tcp_connect, a, "b", 9, "5s"}, {a.tcp_connect, a, "b"},
        {a.tcp_connect, a, "b", 70000}, {a.tcp_connect, a, "b", -1},
        {a.tcp_connect, a, "b", 9, {timeout = "5"}},
        {a.tcp_connect, a, "b", 9, {timeout = -1}},
        {a.tcp_connect, a, "b", 9, {timeout = 1e300}},
        {a.tcp_connect, a, "b", 9, {family = 5}},
        {a.tcp_connect, a, "10.0.0.2", 9, {family = 6}},
        {a.tcp_connect, "b", 9}, {socket.recv, socket, {}, 1},
        {socket.recv, socket, 0}, {socket.recv, socket, "all"},
        {socket.recv, a}, {socket.recv_all, socket}, {socket.send, socket},
        {socket.set, socket, "ttl", 1.5}, {socket.set, socket, {ttl = 0}},
        {socket.get, socket, "nothing"}, {a.raw_socket, a, 256},
        {a.raw_socket, a, "sctp"}, {socket.shutdown, socket, "off"},
    } do
        good, why = pcall(table.unpack(wrong))
        expect_eq(good, false, tostring(why))
    end
    good, why = pcall(a.tcp_connect, a, "b", 9, {timeut = 1})
    expect_eq(good, false)
    expect(why:find("did you mean 'timeout'"), why)
end)

-- timeouts of every call that waits
a:spawn(function()
    sleep(3)
    local listener = a:tcp_listen(80)
    local started = now()
    expect_eq({listener:accept{timeout = "1s"}}, {nil, "ETIMEDOUT"})
    expect_within(now() - started, 1, 1)
    local conn = assert(a:tcp_connect("b", 7))
    expect_eq({conn:recv{timeout = 0.5}}, {nil, "ETIMEDOUT"})
    expect_eq({conn:recv(10, {timeout = 0}) }, {nil, "ETIMEDOUT"})
    expect_eq({conn:recv_all{timeout = 0.5}}, {nil, "ETIMEDOUT", ""})
    conn:send("abc")
    expect_eq({conn:recv_exactly(5, {timeout = 0.5})},
              {nil, "ETIMEDOUT", "abc"})
    conn:send("defgh")
    expect_eq(conn:recv_exactly(2), "de")
    expect_eq(conn:recv(2), "fg")
    expect_eq(conn:recv(1, {peek = true}), "h")
    expect_eq(conn:recv(), "h")
    conn:close()
    local socket = a:udp_socket(5000)
    expect_eq({socket:recv_from{timeout = 0.5}}, {nil, "ETIMEDOUT"})
    -- a peer that does not read: the window closes, send stays stuck
    local sink = assert(b:tcp_listen(81))
    local full = assert(a:tcp_connect("b", 81))
    local good, error, sent = full:send(("x"):rep(20000000),
                                        {timeout = "30s"})
    expect_eq(good, nil)
    expect_eq(error, "ETIMEDOUT")
    expect(sent > 0 and sent < 20000000)
    full:abort()
    local peer = sink:accept()
    peer:recv_all()
    peer:close()
end)

-- closing wakes those who wait
a:spawn(function()
    sleep(3)
    local listener = a:tcp_listen(90)
    local waiter = a:spawn(function()
        return listener:accept()
    end)
    sleep(1)
    listener:close()
    expect_eq({waiter:join()}, {true, nil, "EBADF"})
end)

-- datagrams
local receiver = b:udp_socket(6000)
local receiver6 = b:udp_socket(6000, {family = 6})
a:spawn(function()
    sleep(3)
    local socket = a:udp_socket()
    expect_eq(socket:send_to("hello", "b", 6000), 5)
    local bytes, from, port, to = receiver:recv_from()
    expect_eq(bytes, "hello")
    expect_eq(from, "10.0.0.1")
    expect_eq(to, "10.0.0.2")
    receiver:send_to("back", from, port)
    expect_eq(socket:recv(), "back")
    expect_eq(socket:connect("b", 6000), true)
    expect_eq(socket:send(""), 0)
    expect_eq(receiver:recv(), "")
    local six = a:udp_socket{family = 6}
    expect_eq(six:send_to("six", "b", 6000), 3)
    bytes, from = receiver6:recv_from()
    expect_eq({bytes, from}, {"six", "2001:db8::1"})
    expect_eq({socket:send(("x"):rep(70000))}, {nil, "EMSGSIZE", 0})
    -- an ICMP error comes back as the error of a connected socket
    socket:connect("b", 6001)
    socket:send("nobody there")
    expect_eq({socket:recv{timeout = 1}}, {nil, "ECONNREFUSED"})
end)

-- link-local addresses need their interface
local local6 = b:udp_socket(6100, {family = 6})
a:spawn(function()
    sleep(4)
    local far
    for _, address in ipairs(b:addresses()) do
        if address.address:find("^fe80") then
            far = address.address
        end
    end
    local socket = a:udp_socket{family = 6}
    expect_eq(socket:send_to("near", far .. "%eth0", 6100), 4)
    local bytes, from, port = local6:recv_from()
    expect_eq(bytes, "near")
    expect(from:find("^fe80::.*%%eth0$"), from)
    expect_eq(local6:send_to("back", from, port), 4)
    expect_eq(socket:recv{timeout = 1}, "back")
    local conn = assert(a:tcp_connect(far .. "%eth0", 7))
    conn:close()
    expect_eq(pcall(a.tcp_connect, a, far .. "%eth9", 7), false)
end)

-- broadcast wants to be allowed; urgent data comes apart
local everyone = b:udp_socket(6200)
a:spawn(function()
    sleep(3)
    local socket = a:udp_socket()
    expect_eq({socket:send_to("all", "10.0.0.255", 6200)}, {nil, "EACCES"})
    socket:set("broadcast", true)
    for _, to in ipairs{"10.0.0.255", "255.255.255.255"} do
        expect_eq(socket:send_to("all", to, 6200), 3)
        local bytes, from, _, at = everyone:recv_from()
        expect_eq({bytes, from, at}, {"all", "10.0.0.1", to})
    end
end)
b:spawn(function()
    local conn = b:tcp_listen(98):accept()
    sleep(1)
    expect_eq(conn:recv(100, {urgent = true}), "!")
    expect_eq(conn:recv_all(), "before after")
    conn:close()
end)
a:spawn(function()
    sleep(3)
    local conn = a:tcp_connect(b, 98)
    conn:send("before ")
    conn:send("!", {urgent = true})
    conn:send("after")
    conn:close()
end)

-- options and settings by name
a:spawn(function()
    sleep(3)
    local socket = a:tcp_socket()
    expect_eq(socket:set("no-delay", true), true)
    expect_eq(socket:get("no_delay"), true)
    expect_eq(socket:set{min_rto = "1s", ["initial-window"] = 2,
                         congestion = "newreno", ttl = 9}, true)
    expect_eq(socket:get("min-rto"), 1)
    expect_eq(socket:get("initial_window"), 2)
    expect_eq(socket:get("ttl"), 9)
    local good, why = pcall(socket.set, socket, "min-rtt", 1)
    expect_eq(good, false)
    expect(why:find("did you mean 'min%-rto'"), why)
    good, why = pcall(socket.set, socket, "min-rto", 3)
    expect_eq(good, false, "a time needs its unit, as in a YAML file")
    expect(socket:connect("b", 7))
    expect_eq(socket:info().congestion, "newreno")
    expect_eq(socket:state(), "ESTABLISHED")
    socket:abort()
    local conn = assert(a:tcp_connect("b", 7, {port = 12345,
                                               set = {sack = false}}))
    expect_eq({conn:local_address()}, {"10.0.0.1", 12345})
    expect_eq(conn:info().sack, false)
    conn:close()
end)

-- a reset while somebody reads
b:spawn(function()
    local conn = b:tcp_listen(99):accept()
    sleep(1)
    conn:abort()
end)
a:spawn(function()
    sleep(3)
    local conn = assert(a:tcp_connect("b", 99))
    expect_eq({conn:recv()}, {nil, "ECONNRESET"})
end)
