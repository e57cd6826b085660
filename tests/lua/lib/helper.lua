-- A module beside a script, for the test of require.
local name = ...
loads = (loads or 0) + 1
return {
    name = name,
    fails = function()
        return expect_eq(1, 2, "from a module")
    end,
}
