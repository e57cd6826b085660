-- One side says that it has finished and goes on listening.
--
--   client ──────── wire: 10 ms each way ──────── server
--   10.0.0.1                                    10.0.0.2
--
-- The client sends a request and shuts down its sending side; the server learns
-- of the end from the end of the stream alone, thinks for a second and answers.
-- What to look for in client-eth0.pcapng: the client's FIN, then data from the
-- server for the client in FIN-WAIT-2, acknowledged as ever; the server's FIN;
-- the last ACK out of TIME-WAIT.
local client = host("client", {address = "10.0.0.1/24"})
local server = host("server", {address = "10.0.0.2/24"})
link("wire", {ends = {client, server}, delay = "10ms"})
local answer <const> = ("answer "):rep(10000)

server:spawn(function()
    local conn = server:tcp_listen(80):accept()
    expect_eq(conn:recv_all(), "request")
    expect_eq(conn:state(), "CLOSE-WAIT")
    sleep("1s")
    conn:send(answer)
    conn:close()
end)

client:spawn(function()
    local conn = client:tcp_connect(server, 80)
    conn:send("request")
    conn:shutdown("send")
    sleep("500ms")
    expect_eq(conn:state(), "FIN-WAIT-2", "our FIN is acknowledged")
    expect_eq({conn:send("more")}, {nil, "EPIPE", 0})
    local data = conn:recv_all()
    expect(data == answer, "the whole answer arrives")
    sleep("100ms")
    expect_eq(conn:state(), "TIME-WAIT")
    conn:close()
end)
