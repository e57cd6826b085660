-- Connections whose first segments are lost.
--
--   client ──────── wire: 10 ms each way ──────── server
--   10.0.0.1                                    10.0.0.2
--
-- The link takes exactly the frames that are named: the first two SYNs of one
-- connection, the first SYN-ACK of another. What to look for in
-- client-eth0.pcapng: SYNs 1 s and then 2 s apart (tcp.analysis.retransmission)
-- with the same sequence number; on port 81 a SYN-ACK that comes a second time.
local client = host("client", {address = "10.0.0.1/24"})
local server = host("server", {address = "10.0.0.2/24"})
local wire = link("wire", {
    ends = {client, server},
    delay = "10ms",
    ["from-client"] = {impairments = {
        {drop = "all", nth = {1, 2},
         filter = "tcp[tcpflags] == tcp-syn and dst port 80"},
    }},
    ["from-server"] = {impairments = {
        {drop = "all", nth = 1,
         filter = "tcp[tcpflags] == (tcp-syn | tcp-ack) and src port 81"},
    }},
})

for _, port in ipairs{80, 81} do
    server:spawn(function()
        local conn = server:tcp_listen(port):accept()
        expect_eq(conn:recv_all(), "hello")
        conn:close()
    end)
end

local function connect(port, low, high)
    local started = now()
    local conn = assert(client:tcp_connect(server, port))
    expect_within(now() - started, low, high, "connecting to port " .. port)
    conn:send("hello")
    conn:close()
end

client:spawn(function()
    connect(80, "3.020s", "3.041s") -- 1 s, 2 s, one round trip
    connect(81, "1.020s", "1.021s")
    expect_eq(wire:stats{from = client}.dropped_by.filter, 2)
    expect_eq(wire:stats{from = server}.dropped_by.filter, 1)
end)
