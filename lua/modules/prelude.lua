-- What every script finds defined that is easier to say in Lua.
-- SPDX-License-Identifier: MIT

local sleep, sleep_until, spawn = sleep, sleep_until, spawn
local now, seconds, type = now, seconds, type
local error, pcall = error, pcall

-- A time in seconds; what is wrong is told of the caller's caller.
local function checked(time)
    local ok, result = pcall(seconds, time)
    if not ok then
        error(result, 3)
    end
    return result
end

-- wait_until(time): sleeps until then; true.
-- wait_until(condition, {timeout=, every=}): looks every so often (1 ms of
-- simulated time) until the function returns something true, which it returns;
-- nil, "ETIMEDOUT".
function wait_until(what, options)
    if type(what) ~= "function" then
        return sleep_until(what)
    end
    local every, limit = 0.001, nil
    for key, value in pairs(options or {}) do
        if key == "every" then
            every = checked(value)
        elseif key == "timeout" then
            limit = now() + checked(value)
        else
            error("unknown option '" .. tostring(key) .. "'", 2)
        end
    end
    if every <= 0 then
        error("every must be more than 0", 2)
    end
    while true do
        local result = what()
        if result then
            return result
        end
        if limit and now() >= limit then
            return nil, "ETIMEDOUT"
        end
        sleep(every)
    end
end

-- every(period, f, ...): calls f over and over, the first time after one
-- period; returns the task, which need not end.
function every(period, f, ...)
    if type(f) ~= "function" then
        error("every: expected a function", 2)
    end
    period = checked(period)
    if period <= 0 then
        error("every: the period must be more than 0", 2)
    end
    return spawn(function(...)
        while true do
            sleep(period)
            f(...)
        end
    end, ...):background()
end

-- The clock as an object, for those who like it better.
clock = {
    now = now,
    now_ns = now_ns,
    sleep = sleep,
    wait_until = wait_until,
    after = after,
    at = at,
    every = every,
}
