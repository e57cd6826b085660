-- The first packets of a conversation wait for the neighbour and are not lost.
--
--   a ──────── wire: 5 ms each way ──────── b
--   10.0.0.1                         10.0.0.2
--
-- a sends ten datagrams at once to a neighbour that it has never heard of, and
-- ten to one that does not exist. What to look for in a-eth0.pcapng: one ARP
-- request for 10.0.0.2, then all ten datagrams back to back in their order; three
-- requests for 10.0.0.3, a second apart, and nothing after them.
local a = host("a", {address = "10.0.0.1/24"})
local b = host("b", {address = "10.0.0.2/24"})
local wire = link("wire", {ends = {a, b}, delay = "5ms"})

local requests = {}
wire:on_frame(function(f)
    if f.arp and f.arp.operation == 1 then
        local target = f.arp.target_ip
        requests[target] = (requests[target] or 0) + 1
    end
end, {from = a})

b:spawn(function()
    local socket = b:udp_socket(7)
    for i = 1, 10 do
        expect_eq(socket:recv_from{timeout = "1s"}, "datagram " .. i)
    end
    expect_within(now(), "15ms", "16ms", "one round trip for ARP, one way")
end)

a:spawn(function()
    local socket = a:udp_socket()
    for i = 1, 10 do
        expect_eq(socket:send_to("datagram " .. i, "10.0.0.2", 7), #("datagram "
                  .. i))
    end
    sleep("1s")
    expect_eq(requests["10.0.0.2"], 1, "one request for all of them")
    expect_eq(a:neighbours()[1].state, "REACHABLE")
    for i = 1, 10 do
        socket:send_to("datagram " .. i, "10.0.0.3", 7)
    end
    sleep("10s")
    expect_eq(requests["10.0.0.3"], 3, "then it gives up")
    expect_eq(a:drops("neighbour-failed"), 10, "and each is accounted for")
end)
