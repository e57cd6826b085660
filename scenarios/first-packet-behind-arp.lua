-- Alice sends, Bob listens; see first-packet-behind-arp.yaml.
local alice, bob = host "alice", host "bob"

bob:spawn(function()
  local socket = bob:udp_socket(9)
  for number = 1, 5 do
    local text = socket:recv {timeout = "1s"}
    expect_eq(text, "datagram " .. number, "they arrive in their order")
    -- Request, reply, datagram: three times the delay of the cable.
    expect_within(now(), "150ms", "150ms", "as soon as the address is known")
  end
end)

alice:spawn(function()
  local socket = alice:udp_socket()
  for number = 1, 5 do
    socket:send_to("datagram " .. number, bob, 9)
  end
end)
