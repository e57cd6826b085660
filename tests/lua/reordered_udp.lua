-- Datagrams over a link that reorders and duplicates.
--
--   sender ── wan: 10 ms; 10 % overtake, 5 % arrive twice ── receiver
--   10.0.0.1                                               10.0.0.2
--
-- A thousand numbered datagrams, one per millisecond. UDP promises nothing, and
-- what the receiver sees is exactly what the link did. What to look for in
-- sender-eth0.pcapng: the comment on each frame that was duplicated or
-- reordered; in receiver-eth0.pcapng: IP identifications out of order or twice.
local sender = host("sender", {address = "10.0.0.1/24"})
local receiver = host("receiver", {address = "10.0.0.2/24"})
local wan = link("wan", {
    ends = {sender, receiver},
    delay = "10ms",
    ["from-sender"] = {reorder = "10%", duplicate = "5%"},
})
local count <const> = 1000

receiver:spawn(function()
    local socket = receiver:udp_socket(9000)
    local seen, received, late, last = {}, 0, 0, 0
    while true do
        local bytes = socket:recv_from{timeout = "1s"}
        if not bytes then
            break
        end
        local number = string.unpack(">I4", bytes)
        seen[number] = (seen[number] or 0) + 1
        received = received + 1
        if number < last then
            late = late + 1
        end
        last = math.max(last, number)
    end
    local twice = 0
    for number = 1, count do
        expect(seen[number], "datagram " .. number .. " arrives")
        if seen[number] == 2 then
            twice = twice + 1
        end
    end
    local stats = wan:stats{from = sender}
    log(("%d received, %d late, %d twice"):format(received, late, twice))
    expect(late > 20, "some are overtaken")
    expect_within(twice, 20, 100, "some arrive twice")
    expect_eq(received, count + twice)
    expect_eq(stats.frames_delivered, stats.frames_in + stats.duplicated)
end)

sender:spawn(function()
    local socket = sender:udp_socket()
    for number = 1, count do
        socket:send_to(string.pack(">I4", number), receiver, 9000)
        sleep("1ms")
    end
end)
