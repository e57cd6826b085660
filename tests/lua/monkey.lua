-- Calls everything with anything: nothing may break but the calls themselves.
-- SPDX-License-Identifier: MIT
--
-- Objects, methods and arguments are drawn from the script's random stream, so a
-- seed that finds something finds it again. The runner looks for crashes, leaks
-- and books that do not balance.

local CALLS <const> = 1500

local a = host("a", {address = {"10.0.0.1/24", "2001:db8::1/64"}})
local b = host("b", {address = {"10.0.0.2/24", "2001:db8::2/64"}})
local r = router("r", {})
local wire = link("wire", {ends = {a, b}, delay = "1ms"})
local spare = link("spare", {ends = {a, r}, delay = "1ms"})

local function words(text)
    local list = {}
    for word in text:gmatch("%S+") do
        list[#list + 1] = word
    end
    return list
end

local host_methods = words [[add_address add_route address addresses counter
    counters drops interfaces mac mtu name neighbours remove_address
    remove_route routes set_mtu set_neighbour set_up spawn tcp_listen
    tcp_connect tcp_socket udp_socket raw_socket]]
local socket_methods = words [[accept bind connect listen send send_to recv
    recv_exactly recv_all recv_from shutdown close abort is_open local_address
    remote_address state info error icmp_error set get]]
local link_methods = words [[name ends set get down up up up is_up release
    stats on_frame impair inject]]
local task_methods = words "join is_done cancel background"
local frame_parts = words [[ethernet arp ipv4 ipv6 ip fragment icmp icmpv6 udp
    tcp payload bytes fix length is_fragment]]
local fields = words [[source destination type vlan options checksum
    total_length header_length ttl protocol version fragment_offset
    more_fragments payload_length next_header flags seq length offset id]]
local names = words [[no-delay ttl tos linger send-buffer receive-buffer
    keepalive cork header-included error-queue min-rto nagle congestion mss
    unsent dont-fragment broadcast]]
local texts = {"", "x", "10.0.0.2", "2001:db8::2", "b", "10.0.0.0/8",
               "10.7.0.1/24", "eth0", "lo", "default", "%lo", "fe80::1%eth0",
               "5s", "1ms", "send", "icmp", "tcp.out", "ip-no-route", "\0"}
local numbers = {0, 1, -1, 7, 9, 80, 255, 65535, 65536, 1 << 62, 0.5, 0 / 0,
                 1 / 0, math.mininteger}
local sockets, frames, tasks = {}, {}, {}

local function pick(list)
    return list[math.random(#list)]
end

local function keep(list, value)
    list[#list < 50 and #list + 1 or math.random(50)] = value
end

local function new_frame()
    local good, made = pcall(frame.build, {
        ethernet = {source = "02:00:00:00:00:01",
                    destination = math.random(2) == 1 and
                                  "ff:ff:ff:ff:ff:ff" or b:mac()},
        [math.random(2) == 1 and "ipv4" or "ipv6"] = {
            protocol = math.random(0, 255), ttl = math.random(0, 255),
            source = pick(texts), destination = pick(texts)},
        [pick{"tcp", "udp", "icmp", "payload"}] = math.random(2) == 1 and {}
            or "payload",
    })
    return good and made or
           frame.parse(string.rep("\x45", math.random(0, 100)))
end

local function verdict(f)
    local choice = math.random(6)
    if choice == 1 then
        return "drop"
    elseif choice == 2 then
        pcall(function() f.payload = ("q"):rep(math.random(0, 3000)) end)
    elseif choice == 3 then
        pcall(function() f.ip.ttl = math.random(0, 255) end)
    end
end

local kinds = {
    function() return nil end,
    function() return math.random(2) == 1 end,
    function() return pick(numbers) end,
    function() return pick(texts) end,
    function() return ("z"):rep(math.random(0, 70000)) end,
    function() return {} end,
    function() return {timeout = math.random(0, 3) / 1000} end,
    function() return {from = pick{a, b, r}} end,
    function() return {from = a, at = "arriving"} end,
    function() return {loss = "1%", delay = "1ms", rate = "1Mbit"} end,
    function() return {duplicate = "5%", reorder = "5%"} end,
    function() return {action = pick{"drop", "duplicate", "hold", "corrupt",
                                     "reorder", "delay", "mark"},
                       by = "1ms"} end,
    function() return {family = pick{4, 6}} end,
    function() return {address = pick(texts)} end,
    function() return {set = {[pick(names)] = pick(numbers)}} end,
    function() return {[pick(names)] = pick(texts)} end,
    function() return pick(names) end,
    function() return pick{a, b, r, wire, spare} end,
    function() return pick(sockets) end,
    function() return pick(frames) end,
    function() return pick(tasks) end,
    function() return verdict end,
}

local function call(object, method)
    local arguments = {n = math.random(0, 4)}
    for i = 1, arguments.n do
        arguments[i] = pick(kinds)()
    end
    spawn(function()
        local results = table.pack(pcall(function()
            return object[method](object,
                                  table.unpack(arguments, 1, arguments.n))
        end))
        for i = 2, results.n do
            if tostring(results[i]):find("^socket") then
                keep(sockets, results[i])
            elseif tostring(results[i]):find("^task") then
                keep(tasks, results[i])
            end
        end
    end):background()
end

local function touch_a_frame()
    keep(frames, new_frame())
    local f = pick(frames)
    pcall(function() f[pick(frame_parts)][pick(fields)] = pick(kinds)() end)
    pcall(function() f[pick(frame_parts)] = pick(kinds)() end)
    pcall(function() return f[pick(frame_parts)][pick(fields)] end)
    expect(#tostring(f) > 0)
    expect_eq(#f:copy().bytes, f.length)
    pcall(wire.inject, wire, f, {from = pick{a, b}})
end

b:spawn(function()
    local listener = b:tcp_listen(80)
    while true do
        local conn = listener:accept()
        b:spawn(function()
            local bytes = conn:recv_all{timeout = "1s"}
            conn:send(bytes or "late", {timeout = "1s"})
            conn:close()
        end)
    end
end):background()

spawn(function()
    sockets[1] = a:udp_socket()
    frames[1] = new_frame()
    tasks[1] = spawn(function() end)
    for i = 1, CALLS do
        local choice = math.random(12)
        if choice <= 3 then
            call(pick{a, b, r}, pick(host_methods))
        elseif choice <= 8 then
            call(pick(sockets), pick(socket_methods))
        elseif choice == 9 then
            call(pick{wire, spare}, pick(link_methods))
        elseif choice == 10 then
            touch_a_frame()
        elseif choice == 11 then
            call(pick(tasks), pick(task_methods))
        else
            local conn = a:tcp_connect("b", 80, {timeout = "100ms"})
            keep(sockets, conn or sockets[1])
        end
        if i % 50 == 0 then
            wire:up()
            a:set_up(true)
            b:set_up(true)
        end
        sleep(math.random(0, 2) / 1000)
    end
    stop()
end)
