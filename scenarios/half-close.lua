-- Question and answer; see half-close.yaml.
local client, server = host "client", host "server"

server:spawn(function()
  local conn = server:tcp_listen(80):accept()
  expect_eq(conn:recv_all(), "question", "the end of the stream ends the question")
  expect_eq(conn:state(), "CLOSE-WAIT")
  conn:send(("answer "):rep(200000 // 7))
  conn:close()
end)

client:spawn(function()
  local conn = client:tcp_connect(server, 80)
  conn:send("question")
  conn:shutdown("send")
  sleep("100ms")
  expect_eq(conn:state(), "FIN-WAIT-2", "the server has acknowledged the FIN")
  local answer, why = conn:send("more")
  expect_eq({answer, why}, {nil, "EPIPE"}, "nothing can be sent after shutdown")
  expect_eq(#conn:recv_all(), 200000 // 7 * 7, "the answer arrives all the same")
  conn:close()
end)
