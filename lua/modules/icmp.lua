-- ICMP messages over raw sockets, for both families: what ping and traceroute
-- share. SPDX-License-Identifier: MIT

local icmp = {}

local ECHO = {[4] = 8, [6] = 128}
local ECHO_REPLY = {[4] = 0, [6] = 129}
local TIME_EXCEEDED = {[4] = 11, [6] = 3}
local UNREACHABLE = {[4] = 3, [6] = 1}
local TOO_BIG = {[6] = 2}

-- The address that a name stands for and its family.
function icmp.resolve(target, family)
    if type(target) ~= "string" then
        target = target:name()
    end
    if target:find(":", 1, true) then
        return target, 6
    elseif target:find("^%d+%.%d+%.%d+%.%d+$") then
        return target, 4
    end
    local address = host(target):address(family)
    if not address then
        error(("host %s has no address%s"):format(target,
              family and " for IPv" .. family or ""), 3)
    end
    return address, address:find(":", 1, true) and 6 or 4
end

function icmp.open(from, family)
    return from:raw_socket(family == 4 and "icmp" or "icmpv6",
                           {family = family})
end

-- The bytes of an echo request. The stack fills the checksum of ICMPv6 only.
function icmp.echo(family, id, sequence, data)
    local function message(checksum)
        return string.pack(">BBI2I2I2", ECHO[family], 0, checksum, id,
                           sequence) .. data
    end
    if family == 6 then
        return message(0)
    end
    return message(frame.checksum(message(0)))
end

-- Splits what a raw socket of that family received: type, code, the four bytes
-- after the checksum, the rest, the TTL (IPv4 only); nil when cut short.
local function split(family, bytes)
    local ttl
    if family == 4 then
        if #bytes < 20 then
            return nil
        end
        ttl = bytes:byte(9)
        bytes = bytes:sub((bytes:byte(1) & 15) * 4 + 1)
    end
    if #bytes < 8 then
        return nil
    end
    local kind, code, _, rest = string.unpack(">BBI2I4", bytes)
    return kind, code, rest, bytes:sub(9), ttl
end

-- What an error message quotes: protocol and the first eight bytes behind the
-- IP header.
local function quoted(family, bytes)
    local header = family == 4 and (bytes:byte(1) or 0) % 16 * 4 or 40
    if header < 20 or #bytes < header + 8 then
        return nil
    end
    return bytes:byte(family == 4 and 10 or 7),
           bytes:sub(header + 1, header + 8)
end

-- Decodes a received message:
--   {kind="reply", id=, sequence=, data=, ttl=}
--   {kind="exceeded"|"unreachable"|"too-big", code=, mtu=, protocol=, quote=}
-- or nil for what is neither.
function icmp.decode(family, bytes)
    local kind, code, rest, data, ttl = split(family, bytes)
    if not kind then
        return nil
    end
    if kind == ECHO_REPLY[family] then
        return {kind = "reply", id = rest >> 16, sequence = rest & 0xffff,
                data = data, ttl = ttl}
    end
    local name
    if kind == TIME_EXCEEDED[family] then
        name = "exceeded"
    elseif kind == TOO_BIG[family] or
           family == 4 and kind == UNREACHABLE[4] and code == 4 then
        name = "too-big"
    elseif kind == UNREACHABLE[family] then
        name = "unreachable"
    else
        return nil
    end
    local protocol, quote = quoted(family, data)
    if not protocol then
        return nil
    end
    return {kind = name, code = code, protocol = protocol, quote = quote,
            mtu = name == "too-big" and
                  (family == 4 and rest & 0xffff or rest) or nil}
end

-- Is the message about the echo request with that identifier and sequence?
function icmp.is_about_echo(family, message, id, sequence)
    if message.kind == "reply" then
        return message.id == id and message.sequence == sequence
    end
    if message.protocol ~= (family == 4 and 1 or 58) then
        return false
    end
    local kind, _, _, quoted_id, quoted_sequence =
        string.unpack(">BBI2I2I2", message.quote)
    return kind == ECHO[family] and quoted_id == id and
           quoted_sequence == sequence
end

return icmp
