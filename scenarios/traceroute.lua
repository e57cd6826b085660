-- Alice finds the way to Bob; see traceroute.yaml.
local ping = require "ping"
local traceroute = require "traceroute"

local alice, bob = host "alice", host "bob"

alice:spawn(function()
  -- The first datagrams wait for ARP on every link, so the way is walked once before.
  expect_eq(ping(alice, bob, {count = 1}).received, 1)
  local hops = traceroute(alice, bob)
  expect_eq(#hops, 4, "three routers and Bob")
  for number, hop in ipairs(hops) do
    expect_eq(hop.kind, number < 4 and "exceeded" or "unreachable", "hop " .. number)
    expect_within(hop.rtt, number * 0.01, number * 0.01 + 0.001,
                  "each hop is 5 ms there and 5 ms back")
  end
  expect_eq(hops[4].from, bob:address(4), "Bob himself ends it")

  local result = ping(alice, bob, {count = 1, ttl = 2})
  expect_eq(result.received, 0, "two hops are not enough")
  expect_eq(result.errors[1].kind, "exceeded")
  expect_eq(result.errors[1].from, hops[2].from, "r2 says so")
end)
