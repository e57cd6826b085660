-- traceroute(from, target, {max_hops=30, probes=1, timeout="1s", port=33434,
-- family=}): UDP datagrams with a TTL of 1, 2, 3, ... and the errors that they
-- cause. SPDX-License-Identifier: MIT
--
-- Returns a list with a table per hop: {ttl=, from=, rtt=, kind="exceeded" |
-- "unreachable", reached=}; from is nil where nobody answered. The list ends
-- with the target or with max_hops. Called from a task.

local icmp = require "icmp"

local known = {max_hops = true, probes = true, timeout = true, port = true,
               family = true}
local UDP = 17

-- The error that quotes a datagram from and to these ports.
local function await(socket, family, source, destination, deadline)
    while now() < deadline do
        local bytes, from = socket:recv_from{timeout = deadline - now()}
        if not bytes then
            return nil
        end
        local message = icmp.decode(family, bytes)
        if message and message.protocol == UDP then
            local from_port, to_port = string.unpack(">I2I2", message.quote)
            if from_port == source and to_port == destination then
                message.from = from
                return message
            end
        end
    end
end

return function(from, target, options)
    options = options or {}
    for key in pairs(options) do
        if not known[key] then
            error("traceroute: unknown option '" .. tostring(key) .. "'", 2)
        end
    end
    local address, family = icmp.resolve(target, options.family)
    local errors = assert(icmp.open(from, family))
    local probe = assert(from:udp_socket{family = family, port = 0})
    local _, source = probe:local_address()
    local timeout = seconds(options.timeout or 1)
    local port = options.port or 33434
    local hops = {}
    for ttl = 1, options.max_hops or 30 do
        local hop = {ttl = ttl}
        probe:set("ttl", ttl)
        for _ = 1, options.probes or 1 do
            local started, started_ns = now(), now_ns()
            local answer
            if probe:send_to("wirebed traceroute", address, port) then
                answer = await(errors, family, source, port,
                               started + timeout)
            end
            probe:error() -- the answer is a pending error of this socket too
            port = port + 1
            if answer then
                hop.from, hop.kind = answer.from, answer.kind
                hop.rtt = (now_ns() - started_ns) / 1e9
                hop.reached = answer.from == address or
                              answer.kind == "unreachable"
                break
            end
        end
        hops[#hops + 1] = hop
        if hop.reached then
            break
        end
    end
    errors:close()
    probe:close()
    return hops
end
