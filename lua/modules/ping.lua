-- ping(from, target, {count=4, interval="1s", timeout="1s", size=56, ttl=,
-- family=}): echo requests one after the other.
-- SPDX-License-Identifier: MIT
--
-- Returns a table:
--   sent, received   how many
--   replies          a list: {sequence=, rtt=, from=, ttl=, data_good=}
--   errors           a list: {sequence=, kind=, code=, mtu=, from=}
--   min, mean, max   of the round trip times, when there was a reply
-- Called from a task.

local icmp = require "icmp"

local known = {count = true, interval = true, timeout = true, size = true,
               ttl = true, family = true}

-- Payload that tells a corrupted reply.
local function pattern(size)
    local bytes = {}
    for i = 1, size do
        bytes[i] = string.char(i % 256)
    end
    return table.concat(bytes)
end

-- Waits for the answer to one request until the deadline.
local function await(socket, family, id, sequence, deadline)
    while now() < deadline do
        local bytes, from = socket:recv_from{timeout = deadline - now()}
        if not bytes then
            return nil
        end
        local message = icmp.decode(family, bytes)
        if message and icmp.is_about_echo(family, message, id, sequence) then
            message.from = from
            return message
        end
    end
end

local function summarise(result)
    result.received = #result.replies
    for _, reply in ipairs(result.replies) do
        result.min = math.min(result.min or reply.rtt, reply.rtt)
        result.max = math.max(result.max or reply.rtt, reply.rtt)
        result.mean = (result.mean or 0) + reply.rtt / result.received
    end
    return result
end

return function(from, target, options)
    options = options or {}
    for key in pairs(options) do
        if not known[key] then
            error("ping: unknown option '" .. tostring(key) .. "'", 2)
        end
    end
    local address, family = icmp.resolve(target, options.family)
    local socket = assert(icmp.open(from, family))
    if options.ttl then
        socket:set("ttl", options.ttl)
    end
    local id = math.random(0, 0xffff)
    local data = pattern(options.size or 56)
    local timeout = seconds(options.timeout or 1)
    local interval = seconds(options.interval or 1)
    local result = {sent = 0, replies = {}, errors = {}}
    for sequence = 1, options.count or 4 do
        local started, started_ns = now(), now_ns()
        local request = icmp.echo(family, id, sequence, data)
        local sent, why = socket:send_to(request, address)
        local answer
        if sent then
            result.sent = result.sent + 1
            answer = await(socket, family, id, sequence, started + timeout)
        else
            answer = {kind = why}
        end
        if answer and answer.kind == "reply" then
            table.insert(result.replies,
                         {sequence = sequence, rtt = (now_ns() - started_ns) / 1e9,
                          from = answer.from, ttl = answer.ttl,
                          data_good = answer.data == data})
        elseif answer then
            table.insert(result.errors,
                         {sequence = sequence, kind = answer.kind,
                          code = answer.code, mtu = answer.mtu,
                          from = answer.from})
        end
        if sequence < (options.count or 4) then
            sleep_until(math.max(started + interval, now()))
        end
    end
    socket:close()
    return summarise(result)
end
