-- Progress on a very bad link keeps a connection alive.
-- SPDX-License-Identifier: MIT

-- Retries are those of one segment (RFC 9293 3.8.3): an episode of recovery that
-- lasts longer than all of them together ends nothing while data arrives. Each
-- segment is lost five times, and six retries are allowed.

local settings = {tcp = {
    retries = 6, orphan_retries = 6, max_rto = "1s", min_rto = "1s",
    sack = false, mss = 500, tail_loss_probe = false,
}}
local a, b = host("a", settings), host("b", settings)
local wire = link("wire", {ends = {a, b}, delay = "5ms"})
local times = {}

wire:on_frame(function(f)
    if f.tcp and #f.payload > 0 then
        local n = (times[f.tcp.seq] or 0) + 1
        times[f.tcp.seq] = n
        if n <= 5 then return "drop" end
    end
end, {from = "a"})

b:spawn(function()
    local conn = b:tcp_listen(80):accept()
    expect_eq(#conn:recv_all(), 5000, "all arrives")
    conn:close()
end)

a:spawn(function()
    local conn = assert(a:tcp_connect(b, 80))
    conn:send(("x"):rep(5000))
    conn:close()
end)
