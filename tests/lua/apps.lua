-- Applications from a script, frames that are held, objects as texts.
-- SPDX-License-Identifier: MIT

local a, b = host("a", "10.0.0.1/24"), host("b", "10.0.0.2/24")
local wire = link("wire", {
    ends = {a, b}, delay = "1ms", rate = "10Mbit",
    impairments = {{hold = "all", nth = 2, filter = "udp"}},
})
local sink = app{host = "b", ["tcp-sink"] = 9}
local bulk = app{host = a, tcp_bulk = "b:9", bytes = "1MB", start = "1s"}

expect(app[bulk:name()] == bulk, "it is found by its name")
expect_eq(tostring(bulk), "app " .. bulk:name())
expect_eq(pcall(app, "nothing"), false)
expect_eq(pcall(app, {host = "a", tcp_bulb = "b:9"}), false)
expect_eq(pcall(function() app.mine = bulk end), false)

after(5, function()
    local sent, got = bulk:stats(), sink:stats()
    expect_eq({sent.bytes_sent, sent.is_finished}, {1000000, true})
    expect_eq({got.bytes_received, got.is_running}, {1000000, true})
    expect_within(sent.finished_at, 1.8, 2)
    expect_eq(sent.error, nil)
    sink:stop()
    expect_eq(sink:stats().is_running, false)
end)

-- the second datagram waits for release
b:spawn(function()
    local socket = b:udp_socket(99)
    local order = {}
    for i = 1, 3 do
        order[i] = socket:recv()
    end
    expect_eq(order, {"1", "3", "2"})
    expect_within(now(), 1, 1.1)
end)
a:spawn(function()
    local socket = a:udp_socket()
    for i = 1, 3 do
        socket:send_to(tostring(i), b, 99)
    end
    sleep(1)
    expect_eq(wire:stats{from = a}.held, 1)
    wire:release{from = a}
end)

switch("s", {})
link("x", {ends = {"s", "b:eth1"}})
expect_eq({tostring(switch.s), tostring(link.x), tostring(a)},
          {"switch s", "link x", "host a"})
expect_eq(pcall(host, "s"), false, "a switch is not a host")
expect_eq(pcall(host, "a", {}), false, "a name is given once")
