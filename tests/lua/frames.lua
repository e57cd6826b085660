-- Frames: building, fields, edits.
-- SPDX-License-Identifier: MIT

local ethernet = {source = "02:00:00:00:00:01",
                  destination = "02:00:00:00:00:02"}
local v4 = {source = "10.0.0.1", destination = "10.0.0.2"}
local v6 = {source = "2001:db8::1", destination = "2001:db8::2"}

local function with(base, more)
    local all = {}
    for _, from in ipairs{base, more} do
        for key, value in pairs(from) do
            all[key] = value
        end
    end
    return all
end

-- every transport over both families has good checksums and lengths
for _, network in ipairs{{ipv4 = v4}, {ipv6 = v6}} do
    for _, transport in ipairs{
        {udp = {source_port = 1, destination_port = 2}},
        {tcp = {source_port = 1, destination_port = 2, flags = "S"}},
        {[network.ipv4 and "icmp" or "icmpv6"] = {type = 8}},
    } do
        for _, size in ipairs{0, 1, 2, 1000} do
            local f = frame.build(with(with(network, transport), {
                ethernet = ethernet, payload = ("p"):rep(size)}))
            expect_eq(f.ip_checksum_good, true)
            expect_eq(f.transport_checksum_good, true, tostring(f))
            expect_eq(f.payload, ("p"):rep(size))
            expect_eq(f.is_truncated, false)
            expect_eq(f.ip.source, network.ipv4 and "10.0.0.1" or
                                   "2001:db8::1")
            expect_eq(frame.parse(f.bytes).bytes, f.bytes)
        end
    end
end

-- fields
local f = frame.build{
    ethernet = ethernet,
    ipv4 = with(v4, {ttl = 9, tos = 0xb9, id = 77, dont_fragment = true}),
    tcp = {source_port = 1000, destination_port = 80, seq = 0xfffffff0,
           ack = 5, flags = "SE", window = 4096, urgent = 3,
           options = {mss = 1460, window_scale = 7, sack_permitted = true,
                      ts_value = 100, ts_echo = 200}},
    payload = "data",
}
expect_eq(f.ethernet.source, "02:00:00:00:00:01")
expect_eq(f.ethernet.type, 0x0800)
expect_eq(f.ethernet.vlan, nil)
expect_eq(f.ipv4.version, 4)
expect_eq(f.ipv4.header_length, 20)
expect_eq(f.ipv4.dscp, 46)
expect_eq(f.ipv4.ecn, 1)
expect_eq(f.ipv4.id, 77)
expect_eq(f.ipv4.dont_fragment, true)
expect_eq(f.ipv4.more_fragments, false)
expect_eq(f.ipv4.protocol, 6)
expect_eq(f.ipv4.total_length, f.length - 14)
expect_eq(f.tcp.seq, 0xfffffff0)
expect_eq(f.tcp.header_length, 40)
expect_eq(f.tcp.is_syn, true)
expect_eq(f.tcp.is_ack, false)
expect_eq(f.tcp.is_ece, true)
expect_eq(f.tcp.urgent, 3)
expect_eq(f.tcp.options, {mss = 1460, window_scale = 7,
                          sack_permitted = true, ts_value = 100,
                          ts_echo = 200})
expect_eq(f.udp, nil)
expect_eq(f.ipv6, nil)
expect_eq(f.arp, nil)

-- edits keep everything right
f.ip.ttl = 1
f.tcp.flags = "R."
f.tcp.window = 0
expect_eq(f.tcp.is_rst, true)
expect_eq(f.transport_checksum_good and f.ip_checksum_good, true)
f.tcp.options = {sack = {{10, 20}, {30, 40}}}
expect_eq(f.tcp.options.sack, {{10, 20}, {30, 40}})
expect_eq(f.payload, "data")
f.payload = ""
expect_eq(f.ipv4.total_length, f.length - 14)
f.ipv4.options = "\x01\x01\x01"
expect_eq(f.ipv4.header_length, 24)
expect_eq(f.tcp.is_rst, true)
expect_eq(f.transport_checksum_good and f.ip_checksum_good, true)
f.ipv4.options = ""
f.ethernet.vlan = 100
expect_eq({f.ethernet.vlan, f.ethernet.type}, {100, 0x0800})
f.ethernet.vlan = 200
expect_eq(f.ethernet.vlan, 200)
f.ethernet.vlan = nil
expect_eq({f.ethernet.vlan, f.ethernet.type}, {nil, 0x0800})
expect_eq(f.transport_checksum_good and f.ip_checksum_good, true)

-- a copy is another frame
local copy = f:copy()
copy.ip.ttl = 99
expect_eq(f.ip.ttl, 1)

-- told otherwise: what is given stays, or nothing is fixed
local given = frame.build{
    ipv4 = with(v4, {checksum = 1, total_length = 28}),
    udp = {source_port = 1, destination_port = 2, checksum = 2, length = 8},
}
expect_eq({given.ipv4.checksum, given.udp.checksum}, {1, 2})
expect_eq(given.ip_checksum_good, false)
local raw = frame.parse(f.bytes)
raw.fix = false
raw.ip.ttl = 44
expect_eq(raw.ip_checksum_good, false)
raw.fix = true
raw.ip.ttl = 45
expect_eq(raw.ip_checksum_good, true)

-- other headers
local arp = frame.build{
    ethernet = with(ethernet, {destination = "ff:ff:ff:ff:ff:ff"}),
    arp = {sender_mac = "02:00:00:00:00:01", sender_ip = "10.0.0.1",
           target_ip = "10.0.0.2"},
}
expect_eq(tostring(arp),
          "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28")
arp.arp.operation = 2
expect_eq(tostring(arp),
          "ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 28")
local fragment = frame.build{
    ipv6 = v6, fragment = {id = 9, offset = 1232, more = true,
                           next_header = 17},
    payload = ("x"):rep(16),
}
expect_eq(fragment.fragment.offset, 1232)
expect_eq(fragment.fragment.more, true)
expect_eq(fragment.is_fragment, true)
expect_eq(fragment.ip.protocol, 44)
local piece = frame.build{
    ipv4 = with(v4, {fragment_offset = 8, more_fragments = true,
                     protocol = 17}), payload = "12345678"}
expect_eq({piece.ipv4.fragment_offset, piece.ipv4.more_fragments}, {8, true})
expect_eq(piece.ip_checksum_good, true)
local echo = frame.build{ipv4 = v4, icmp = {type = 8, id = 3, sequence = 4}}
expect_eq({echo.icmp.id, echo.icmp.sequence, echo.icmp.code}, {3, 4, 0})
local solicitation = frame.build{
    ipv6 = with(v6, {ttl = 255}), icmpv6 = {type = 135, target = "fe80::9"},
    payload = ("\0"):rep(16),
}
expect_eq(solicitation.icmpv6.target, "fe80::9")
expect_eq(solicitation.ip.hop_limit, 255)

-- mistakes
for _, mistake in ipairs{
    {}, {udp = {}}, {ipv4 = v4, ipv6 = v6}, {ipv4 = v4, udp = {}, tcp = {}},
    {ipv4 = {surce = "1.2.3.4"}}, {ipv4 = {source = "fe80::1"}},
    {ipv4 = {ttl = 256}}, {ipv4 = {ttl = -1}}, {ipv4 = {ttl = "x"}},
    {ipv4 = {fragment_offset = 4}}, {ethernet = {source = "02:00"}},
    {ipv4 = v4, fragment = {}}, {ipv4 = v4, tcp = {flags = "Q"}},
    {ipv4 = v4, tcp = {options = ("x"):rep(41)}}, {ipv4 = 5},
    {ipv4 = v4, tcp = {options = {mss = 65536}}},
    {ipv4 = v4, payload = ("x"):rep(70000)}, {payload = "x"},
} do
    expect_eq(pcall(frame.build, mistake), false)
end
expect_eq(pcall(frame.parse, ("x"):rep(70000)), false)
expect_eq(pcall(function() f.length = 5 end), false)
expect_eq(pcall(function() return f.nothing end), false)
expect_eq(pcall(function() return f.tcp.nothing end), false)

-- hostile bytes have no headers rather than wrong ones
local tiny = frame.parse("")
expect_eq({tiny.ethernet, tiny.ip, tiny.payload}, {nil, nil, ""})
local lying = frame.parse(f.bytes:sub(1, 30))
expect_eq(lying.tcp, nil)
for n = 0, #f.bytes do
    local cut = frame.parse(f.bytes:sub(1, n))
    local layer = cut.tcp or cut.ip or cut.ethernet
    expect(type(tostring(cut)) == "string" and
           (layer == nil or type(layer) == "userdata"))
end
-- a layer that an edit took away
local layer = f.tcp
f.ip.protocol = 17
expect_eq(layer.seq, nil)
expect_eq(pcall(function() layer.seq = 1 end), false)
expect_eq(frame.checksum("\0\1\xf2\3\xf4\xf5\xf6\xf7"), 0x220d ~ 0 & 0xffff)
