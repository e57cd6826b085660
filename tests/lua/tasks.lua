-- Tasks: time, joining, signals, timers, coroutines inside tasks.
-- SPDX-License-Identifier: MIT

local order = {}
local function note(what)
    order[#order + 1] = what
end

spawn(function()
    expect_eq(now(), 0)
    expect_eq(sleep("1500ms"), true)
    expect_eq(now_ns(), 1500000000)
    sleep(0.25)
    expect_eq(now(), 1.75)
    sleep_until("2s")
    expect_eq(now(), 2)
    expect_eq(wait_until("3s"), true)
    expect_eq(now(), 3)
    sleep_until(1) -- the past: at once
    expect_eq(now(), 3)
end)

-- join gives what the function returned, nils included
spawn(function()
    local task = spawn(function(a, b)
        sleep(1)
        return a, nil, b
    end, "x", "y")
    expect_eq(task:is_done(), false)
    local good, why = task:join{timeout = "500ms"}
    expect_eq(good, nil)
    expect_eq(why, "ETIMEDOUT")
    local results = table.pack(task:join())
    expect_eq(results.n, 4)
    expect_eq(results[1], true)
    expect_eq(results[2], "x")
    expect_eq(results[4], "y")
    expect_eq(now(), 1)
    expect_eq(task:is_done(), true)
    expect_eq(select("#", task:join()), 4, "a second time")
end)

-- tasks of one instant run in the order in which they were made
for i = 1, 5 do
    at(4, function() note(i) end)
end
at(4.5, function()
    expect_eq(order, {1, 2, 3, 4, 5})
end)

-- signals
spawn(function()
    local bell = signal()
    local heard = 0
    for _ = 1, 3 do
        spawn(function()
            expect_eq(bell:wait(), true)
            heard = heard + 1
        end)
    end
    local good, why = bell:wait{timeout = 1}
    expect_eq(good, nil)
    expect_eq(why, "ETIMEDOUT")
    bell:notify()
    sleep(0.001)
    expect_eq(heard, 3)
end)

-- timers
local ticks = 0
local timer
timer = every("100ms", function()
    ticks = ticks + 1
    if ticks == 5 then
        expect_within(now(), "500ms", "500ms")
        timer:cancel()
    end
end)
local never = after(1, fail, "a cancelled timer fires")
expect_eq(never:cancel(), true)
expect_eq(never:cancel(), false)
expect_eq(never:is_done(), true)
at(10, function()
    expect_eq(ticks, 5)
end)

-- conditions
spawn(function()
    local good, why = wait_until(function() return false end,
                                 {timeout = "10ms"})
    expect_eq(good, nil)
    expect_eq(why, "ETIMEDOUT")
    local value = wait_until(function() return now() >= 2 and "yes" end,
                             {every = "300ms", timeout = 10})
    expect_eq(value, "yes")
    expect_within(now(), 2, 2.3)
end)

-- a blocking call inside a coroutine of the script's own suspends the task
spawn(function()
    local steps = coroutine.wrap(function()
        for i = 1, 3 do
            sleep(1)
            coroutine.yield(i)
        end
    end)
    expect_eq(steps(), 1)
    expect_eq(now(), 1)
    expect_eq(steps(), 2)
    local inner = coroutine.create(function(x)
        local good, why = pcall(function()
            sleep(1)
            error("inside", 0)
        end)
        coroutine.yield(x, good, why)
        local nested = coroutine.wrap(function() sleep(1) return "deep" end)
        return nested()
    end)
    expect_eq({coroutine.resume(inner, 7)}, {true, 7, false, "inside"})
    expect_eq(now(), 3)
    expect_eq({coroutine.resume(inner)}, {true, "deep"})
    expect_eq(now(), 4)
    expect_eq(coroutine.status(inner), "dead")
end)

-- blocking across pcall, closing variables and iterators
spawn(function()
    local closed
    do
        local guard <close> = setmetatable({}, {__close = function()
            sleep("10ms")
            closed = now()
        end})
        sleep("10ms")
    end
    expect_eq(closed, 0.02)
    for i in function(_, last) sleep(1) return (last or 0) < 2 and
             (last or 0) + 1 or nil end do
        expect(i <= 2)
    end
    expect_eq(now(), 3.02)
end)

-- where nothing can wait
local good, why = pcall(sleep, 1)
expect_eq(good, false)
expect(why:find("only a task can"), why)
spawn(function()
    local fine, message = pcall(table.sort, {2, 1}, function()
        sleep(1)
    end)
    expect_eq(fine, false)
    expect(message:find("C-call boundary") or message:find("only a task"),
           message)
    sleep(1) -- and the task goes on
end)

-- a task that cancels another in the middle of its wait
spawn(function()
    local cleaned = false
    local victim = spawn(function()
        local guard <close> = setmetatable({}, {__close = function()
            cleaned = true
        end})
        sleep(1000)
        fail("a cancelled task goes on")
    end)
    sleep(1)
    victim:cancel()
    expect_eq(cleaned, true)
    expect_eq({victim:join()}, {true})
end)

-- thousands of tasks
spawn(function()
    local count = 0
    local tasks = {}
    for i = 1, 3000 do
        tasks[i] = spawn(function()
            for _ = 1, 3 do
                sleep(i / 1000)
            end
            count = count + 1
        end)
    end
    for _, task in ipairs(tasks) do
        task:join()
    end
    expect_eq(count, 3000)
    expect_eq(now(), 9)
end)

expect_eq(seconds("1m30s"), 90)
expect_eq(seconds(0.5), 0.5)
expect_eq(pcall(seconds, "5"), false)
expect_eq(pcall(seconds, -1), false)
expect_eq(pcall(seconds, 0 / 0), false)
expect_eq(pcall(at, -1, print), false)

-- the clock as an object
spawn(function()
    clock.sleep("1s")
    expect_eq({clock.now(), clock.now_ns()}, {1, 1000000000})
end)
