-- A link that goes down in the middle of a transfer and comes back.
--
--   client ──────── wan: 2 Mbit/s, 20 ms ──────── server
--   10.0.0.1                                    10.0.0.2
--
-- Five seconds into the run the link is cut for three seconds. What to look for
-- in server-eth0.pcapng: retransmissions at doubling intervals while it is down
-- (each with the comment that says why it was lost), and slow start from one
-- segment afterwards.
local client = host("client", {address = "10.0.0.1/24"})
local server = host("server", {address = "10.0.0.2/24"})
local wan = link("wan", {ends = {client, server}, rate = "2Mbit",
                         delay = "20ms"})
local size <const> = 2000000

at("5s", function()
    log("down")
    wan:down()
    sleep("3s")
    log("up")
    wan:up()
end)

server:spawn(function()
    local conn = server:tcp_listen(80):accept()
    server:spawn(function()
        sleep_until("7.9s")
        local info = conn:info()
        expect_eq(info.ca_state, "loss")
        expect(info.backoff >= 2, "the timeout doubles: " .. info.backoff)
    end)
    conn:send(("x"):rep(size))
    conn:close()
end)

client:spawn(function()
    local conn = client:tcp_connect(server, 80)
    local data = conn:recv_all()
    expect_eq(#data, size, "the transfer survives")
    expect_within(now(), "11s", "16s", "8 s of data, 3 s of silence, and some")
    expect(wan:stats{from = server}.dropped_by.down > 3)
    conn:close()
end)
