-- Fragments that arrive out of order, overlap, or do not all arrive.
--
--   a ──────── wire: 10 ms each way ──────── b
--   10.0.0.1                          10.0.0.2
--
-- A datagram of 4,000 bytes leaves as three fragments. A hook on the link delays,
-- drops or changes them, and puts one of its own on the wire. What to look for in
-- b-eth0.pcapng: Wireshark puts the datagram together at the last fragment that
-- comes (ip.reassembled_in), and says where fragments overlap. (b does not answer
-- with "reassembly time exceeded", for Wireshark cannot check the quoted checksum.)
local a = host("a", {address = "10.0.0.1/24"})
local b = host("b", {address = "10.0.0.2/24", ip = {icmp_rate = 0}})
local wire = link("wire", {ends = {a, b}, delay = "10ms"})
local data <const> = ("0123456789abcdef"):rep(250)

local what_to_do -- a function of the fragment's offset
wire:on_frame(function(f)
    if f.is_fragment and what_to_do then
        return what_to_do(f.ipv4.fragment_offset, f)
    end
end, {from = a})

local receiver = b:udp_socket(5000)

local function send(socket)
    expect_eq(socket:send_to(data, b, 5000), #data)
end

a:spawn(function()
    local socket = a:udp_socket()
    socket:set("dont-fragment", false)

    send(socket)
    expect(receiver:recv{timeout = "1s"} == data, "in order")
    expect_eq(b:counter("ip.fragments-in"), 3)
    expect_eq(b:counter("ip.reassembled"), 1)

    -- backwards: the first waits longest
    what_to_do = function(offset)
        return "delay", (4000 - offset) / 1e6
    end
    send(socket)
    expect(receiver:recv{timeout = "1s"} == data, "last to first")

    -- a copy of the middle fragment, shifted by eight bytes: an attack, not an
    -- accident, and the whole packet is refused
    what_to_do = function(offset, f)
        if offset > 0 and f.ipv4.more_fragments then
            local evil = f:copy()
            evil.ipv4.fragment_offset = offset - 8
            wire:inject(evil, {from = a})
        end
    end
    send(socket)
    expect_eq({receiver:recv{timeout = "1s"}}, {nil, "ETIMEDOUT"})
    expect(b:drops("fragment-overlap") > 0, "the overlap is noticed")

    -- one lost: the others are thrown away after 30 s, with a message
    what_to_do = function(offset, f)
        if offset > 0 and f.ipv4.more_fragments then
            return "drop"
        end
    end
    send(socket)
    what_to_do = nil
    sleep("40s")
    expect(b:drops("fragment-timeout") >= 2, "and counted")
    send(socket)
    expect(receiver:recv{timeout = "1s"} == data, "life goes on")
end)
