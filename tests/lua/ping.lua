-- Echo requests over both families.
--
--   a ──────── wire: 10 ms each way ──────── b
--   10.0.0.1                          10.0.0.2
--   2001:db8::1                    2001:db8::2
--
-- What to look for in a-eth0.pcapng: the ARP exchange before the first request
-- (which therefore takes twice as long), neighbour solicitations in its place for
-- IPv6, requests with their replies 20 ms apart. Before its first second is over
-- each host asks whether its IPv6 addresses are taken (source ::).
local ping = require "ping"

local a = host("a", {address = {"10.0.0.1/24", "2001:db8::1/64"}})
local b = host("b", {address = {"10.0.0.2/24", "2001:db8::2/64"}})
link("wire", {ends = {a, b}, delay = "10ms"})

a:spawn(function()
    sleep("3s") -- duplicate address detection
    for _, family in ipairs{4, 6} do
        local result = ping(a, b, {count = 4, family = family})
        expect_eq(result.received, 4, "every request is answered")
        expect_within(result.replies[1].rtt, "40ms", "40ms",
                      "the first waits for the neighbour's address")
        for i = 2, 4 do
            expect_within(result.replies[i].rtt, "20ms", "20ms")
        end
        log(("IPv%d: %d of %d, %.0f to %.0f ms"):format(family,
            result.received, result.sent, result.min * 1e3,
            result.max * 1e3))
    end
    expect_eq(b:counter("icmp.echo-in"), 8)
end)
