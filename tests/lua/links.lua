-- Links: parameters that change, up and down, hooks, injected frames.
-- SPDX-License-Identifier: MIT

local ping = require "ping"

local a = host("a", {address = "10.0.0.1/24"})
local b = host("b", {address = "10.0.0.2/24"})
local wire = link("wire", {ends = {a, b}, delay = "10ms"})

expect_eq(host.a == a, true)
expect_eq(host "a" == a, true)
expect_eq(link.wire:name(), "wire")
expect_eq({wire:ends()}, {a, b})
expect_eq(pcall(host, "nobody"), false)
local good, why = pcall(link, "w2", {ends = {a, b}, dely = "1ms"})
expect_eq(good, false)
expect(why:find("tests/lua/links.lua:15") and why:find("did you mean 'delay'"),
       why)

a:spawn(function()
    expect_within(ping(a, b, {count = 2, interval = "100ms"}).max,
                  "20ms", "45ms")
    -- slower in one direction only
    wire:set({delay = "50ms"}, {from = a})
    expect_within(ping(a, b, {count = 1}).mean, "60ms", "60ms")
    expect_eq(wire:get{from = a}.delay, 0.05)
    expect_eq(wire:get{from = b}.delay, 0.01)
    wire:set{delay = "5ms", loss = "100%"}
    local lost = ping(a, b, {count = 3, interval = "10ms",
                             timeout = "100ms"})
    expect_eq({lost.sent, lost.received}, {3, 0})
    expect(wire:stats{from = a}.dropped_by.loss >= 3)
    wire:set{loss = "0%"}

    -- down and up again
    wire:down()
    expect_eq(wire:is_up(), false)
    expect_eq(ping(a, b, {count = 1}).received, 0)
    wire:up()
    expect_eq(wire:is_up(), true)
    expect_eq(ping(a, b, {count = 1}).received, 1)
    good, why = pcall(wire.set, wire, {loss = 5})
    expect_eq(good, false, "a share needs its unit")

    -- a hook that looks
    local seen = {}
    local hook = wire:on_frame(function(f, where, from)
        expect_eq(where, wire)
        seen[#seen + 1] = from .. " " .. tostring(f)
    end)
    ping(a, b, {count = 1, size = 8})
    hook:remove()
    hook:remove()
    ping(a, b, {count = 1})
    expect_eq(#seen, 2)
    expect(seen[1]:find("^a IP 10.0.0.1 > 10.0.0.2: ICMP echo request"),
           seen[1])
    expect(seen[2]:find("^b IP 10.0.0.2 > 10.0.0.1: ICMP echo reply"),
           seen[2])

    -- one that drops, one that delays
    local drops = wire:on_frame(function(f)
        if f.icmp and f.icmp.type == 8 and f.icmp.sequence == 2 then
            return "drop"
        end
    end, {from = "a"})
    local result = ping(a, b, {count = 3, interval = "10ms",
                               timeout = "500ms"})
    expect_eq(result.received, 2)
    expect_eq(result.replies[2].sequence, 3)
    drops:remove()
    local delays = wire:on_frame(function()
        return "delay", "30ms"
    end, {from = b})
    expect_within(ping(a, b, {count = 1}).mean, "40ms", "40ms")
    delays:remove()

    -- one that edits: the checksum follows
    local edits = wire:on_frame(function(f)
        f.ip.ttl = 7
        f.payload = f.payload:gsub(".", "z")
    end, {from = b, at = "arriving"})
    result = ping(a, b, {count = 1, size = 20})
    expect_eq(result.received, 1)
    expect_eq(result.replies[1].ttl, 7)
    expect_eq(result.replies[1].data_good, false)
    edits:remove()

    -- longer and shorter frames
    local socket, peer = a:udp_socket(), b:udp_socket(5000)
    local grows = wire:on_frame(function(f)
        if f.udp then
            f.payload = f.payload .. ("+"):rep(1000)
        end
    end, {from = a})
    socket:send_to("x", b, 5000)
    expect_eq(#peer:recv(), 1001)
    grows:remove()
    local shrinks = wire:on_frame(function(f)
        if f.udp then
            f.payload = "s"
        end
    end, {from = a})
    socket:send_to(("x"):rep(500), b, 5000)
    expect_eq(peer:recv(), "s")
    shrinks:remove()

    -- a checksum that was given stays wrong
    local breaks = wire:on_frame(function(f)
        if f.udp then
            f.udp.checksum = 0x1234
        end
    end, {from = a})
    socket:send_to("x", b, 5000)
    expect_eq({peer:recv{timeout = 1}}, {nil, "ETIMEDOUT"})
    expect_eq(b:drops("udp-bad-checksum"), 1)
    breaks:remove()

    -- impairments whose victims a function picks
    local doubles = wire:impair(function(f, where, from)
        expect_eq({where, from}, {wire, "a"})
        return f.udp and f.payload == "twice"
    end, {action = "duplicate", copies = 2, by = "100ms", from = a})
    socket:send_to("once", b, 5000)
    socket:send_to("twice", b, 5000)
    expect_eq({peer:recv(), peer:recv()}, {"once", "twice"})
    wire:set{delay = "4ms"} -- which is no impairment
    local started = now()
    expect_eq({peer:recv(), peer:recv()}, {"twice", "twice"})
    expect_within(now() - started, 0.09, 0.21)
    expect_eq({peer:recv{timeout = 1}}, {nil, "ETIMEDOUT"})
    doubles:remove()
    doubles:remove()
    socket:send_to("twice", b, 5000)
    expect_eq({peer:recv(), peer:recv{timeout = 1}},
              {"twice", nil, "ETIMEDOUT"})
    local flips = wire:impair(function(f)
        return f.udp ~= nil
    end, {action = "corrupt", bits = 1, from = a})
    socket:send_to(("x"):rep(1000), b, 5000)
    expect_eq({peer:recv{timeout = 1}}, {nil, "ETIMEDOUT"})
    expect(wire:stats{from = a}.corrupted == 1)
    flips:remove()
    wire:impair(function() return false end, {action = "drop"})
    for _, wrong in ipairs{{}, {action = "lose"}, {copies = 2},
                           {action = "drop", copies = 0},
                           {action = "drop", fom = a}} do
        expect_eq(pcall(wire.impair, wire, print, wrong), false)
    end

    -- frames of our own making
    local frames = frame.build{
        ethernet = {source = a:mac(), destination = b:mac()},
        ipv4 = {source = "10.0.0.1", destination = "10.0.0.2"},
        udp = {source_port = 1, destination_port = 5000},
        payload = "made by hand",
    }
    expect_eq(wire:inject(frames, {from = a}), true)
    local bytes, from, port = peer:recv_from()
    expect_eq({bytes, from, port}, {"made by hand", "10.0.0.1", 1})
    expect_eq(wire:stats{from = a}.injected, 1)
    good, why = pcall(wire.inject, wire, frame.build{
        ipv4 = {source = "10.0.0.1", destination = "10.0.0.2"}}, {from = a})
    expect_eq(good, false)

    -- an error in a hook ends the run as any other, so it is caught here
    local careful = wire:on_frame(function(f)
        local fine, message = pcall(sleep, 1)
        expect_eq(fine, false)
        expect(message:find("only a task can"), message)
    end, {from = a})
    ping(a, b, {count = 1})
    careful:remove()
end)

-- a network that grows while the run goes on
a:spawn(function()
    sleep(30)
    local c = host("c", {address = "10.0.7.2/24"})
    host("d", {address = "10.0.7.1/24"})
    link("late", {ends = {"c", "d"}})
    expect_eq(ping(c, "d", {count = 1}).received, 1)
end)

-- hosts
a:spawn(function()
    sleep(40)
    expect_eq(a:name(), "a")
    expect_eq(tostring(a), "host a")
    expect_eq(a:address(), "10.0.0.1")
    expect_eq(a:mtu(), 1500)
    expect_eq(a:mtu("lo") > 1500, true)
    expect(a:counter("icmp.in") > 0)
    expect_eq(pcall(a.counter, a, "icmp.inn"), false)
    expect_eq(a:interfaces(), {"lo", "eth0"})
    expect_eq(a:neighbours()[1].mac, b:mac())
    expect_eq(a:add_address("10.0.9.1/24"), true)
    expect_eq(a:add_route("10.1.0.0/16", "10.0.0.2"), true)
    expect_eq({a:add_route("10.2.0.0/16", "10.77.0.2")},
              {nil, "ENETUNREACH"})
    local found
    for _, route in ipairs(a:routes()) do
        found = found or route.to == "10.1.0.0/16" and
                route.via == "10.0.0.2"
    end
    expect(found)
    expect_eq(a:remove_route("10.1.0.0/16"), true)
    expect_eq(a:remove_address("10.0.9.1"), true)
    expect_eq({a:remove_address("10.0.9.1")}, {nil, "ENOENT"})
end)
