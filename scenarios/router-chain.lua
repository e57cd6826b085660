-- Three routers in a row, found one by one by letting the TTL run out.
--
--   a ── l1 ── r1 ── l2 ── r2 ── l3 ── r3 ── l4 ── b       5 ms each
--
-- No address and no route is given: `wirebed check` would show what was chosen.
-- What to look for in a-eth0.pcapng: UDP datagrams with a TTL of 1, 2, 3, 4; the
-- time-exceeded messages of r1, r2 and r3 that quote them; the port-unreachable of
-- b. In b-eth0.pcapng: a TTL that is 3 less than in a-eth0.pcapng.
local ping = require "ping"
local traceroute = require "traceroute"

local a, b = host("a", {}), host("b", {})
local nodes = {a, router("r1", {}), router("r2", {}), router("r3", {}), b}
for i = 1, 4 do
    link("l" .. i, {ends = {nodes[i], nodes[i + 1]}, delay = "5ms"})
end

a:spawn(function()
    local result = ping(a, b, {count = 3})
    expect_eq(result.received, 3, "the routes lead there and back")
    expect_eq(result.replies[3].ttl, 61, "three routers took one each")
    expect_within(result.replies[3].rtt, "40ms", "40ms")

    result = ping(a, b, {count = 1, ttl = 2})
    expect_eq(result.received, 0)
    expect_eq(result.errors[1].kind, "exceeded", "a TTL of 2 ends at r2")

    local hops = traceroute(a, b)
    expect_eq(#hops, 4)
    for i, hop in ipairs(hops) do
        log(("%d  %-10s %4.0f ms  %s"):format(hop.ttl, hop.from,
                                             hop.rtt * 1e3, hop.kind))
        local owned = false
        for _, address in ipairs(nodes[i + 1]:addresses()) do
            owned = owned or address.address == hop.from
        end
        expect(owned, "hop " .. i .. " is " .. nodes[i + 1]:name())
        expect_within(hop.rtt, i * 0.010, i * 0.010)
    end
    expect_eq(hops[4].kind, "unreachable", "the port is closed at b")

    local r2 = nodes[3]
    expect_eq(r2:drops("ip-ttl-exceeded"), 2)
end)
