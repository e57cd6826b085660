-- A receiver that does not read, and a sender that asks again and again.
--
--   sender ──────── wire: 10 Mbit/s, 5 ms ──────── reader
--   10.0.0.1                                     10.0.0.2
--
-- The reader accepts a connection and does nothing for half a minute. What to
-- look for in sender-eth0.pcapng: the window shrinks to nothing
-- (tcp.analysis.zero_window), probes follow at growing intervals
-- (tcp.analysis.zero_window_probe) and are answered with a window of 0 each; when
-- the reader reads, the window opens (tcp.analysis.window_update) and the rest
-- flows.
local sender = host("sender", {address = "10.0.0.1/24"})
local reader = host("reader", {
    address = "10.0.0.2/24",
    tcp = {receive_buffer = "64KiB", autotune = false},
})
link("wire", {ends = {sender, reader}, rate = "10Mbit", delay = "5ms"})
local size <const> = 500000

reader:spawn(function()
    local conn = reader:tcp_listen(9):accept()
    sleep("30s")
    expect(conn:info().zero_windows_sent > 0)
    expect_eq(#conn:recv_all(), size, "nothing is lost by waiting")
    conn:close()
end)

sender:spawn(function()
    local conn = sender:tcp_connect(reader, 9)
    sender:spawn(function()
        sleep("29s")
        local info = conn:info()
        expect_eq(info.snd_wnd, 0, "the window is closed")
        expect_within(info.zero_window_probes, 5, 12,
                      "probes back off exponentially")
        expect_eq(info.state, "ESTABLISHED", "and the connection lives on")
    end)
    expect_eq(conn:send(("x"):rep(size)), size)
    expect(now() > 30, "the last byte had to wait")
    conn:close()
end)
