-- Background work at intervals: what a period may be, where a mistake is told.
-- SPDX-License-Identifier: MIT

local function refused(f)
    local ok, message = pcall(f)
    expect_eq(ok, false)
    expect(message:find("^[^<]*every_period.lua:%d+: "), message)
end

refused(function() every(0, print) end)
refused(function() every(-1, print) end)
refused(function() every("1x", print) end)
refused(function() wait_until(print, {timeout = -1}) end)

local n = 0
local timer = every("100ms", function() n = n + 1 end)
after("1050ms", function()
    timer:cancel()
    expect_eq(n, 10)
end)
