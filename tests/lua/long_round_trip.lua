-- A round trip that is longer than the first retransmission timeout.
-- SPDX-License-Identifier: MIT

-- The answer to the first SYN comes behind the second SYN, and echoes the first
-- one's timestamp (RFC 7323 3.2), also for a connection that begins at time 0,
-- and also when a listener answers both SYNs.

local a, b = host("a", "10.0.0.1/24"), host("b", "10.0.0.2/24")
link("satellite", {ends = {a, b}, delay = "600ms"})

b:spawn(function()
    local conn = b:tcp_listen(80):accept()
    expect_eq(conn:recv_all(), "hello")
    conn:close()
end)

a:spawn(function()
    local conn = assert(a:tcp_connect(b, 80))
    expect_eq(now() < 3, true, "neither SYN is answered with a reset")
    conn:send("hello")
    conn:close()
    sleep("5s")
    expect_eq(a:counter("tcp.rst-out"), 0)
    expect_eq(b:counter("tcp.rst-in"), 0)
end)
