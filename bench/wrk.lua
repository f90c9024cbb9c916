-- wrk -s wrk.lua URL -- MODE TOKENS IDS SEED
-- MODE: health, get, cached, home, post, and the same with the prefix "peer_"; bundle.
-- TOKENS: a file of bearer tokens, one a line.  IDS: a file of ids (of posts; of accounts with keys), or "-".
local tokens, ids, mode, n = {}, {}, nil, 0

local function read(name, list)
	for line in io.lines(name) do list[#list + 1] = line end
end

function init(args)
	mode = args[1]
	read(args[2], tokens)
	if args[3] ~= "-" then read(args[3], ids) end
	math.randomseed(tonumber(args[4] or 1))
end

local function call(method, path, body)
	return wrk.format(method, path, {
		["Authorization"] = "Bearer " .. tokens[math.random(#tokens)],
		["Content-Type"] = body and "application/json" or nil,
	}, body)
end

-- Every post has words of its own: near copies are held back.
local syllables = {"ba", "co", "di", "fu", "ga", "he", "ji", "ko", "lu", "ma", "ne", "pi", "ro", "sa", "tu", "vi"}
local function text()
	local words = {}
	for i = 1, 9 do
		words[i] = syllables[math.random(16)] .. syllables[math.random(16)] .. syllables[math.random(16)]
	end
	return table.concat(words, " ") .. " "
end

function request()
	n = n + 1
	if mode == "health" or mode == "peer_health" then return call("GET", "/health")
	elseif mode == "get" then return call("GET", "/api/v1/tweets/" .. ids[math.random(#ids)])
	elseif mode == "peer_get" then return call("GET", "/tweets/" .. ids[math.random(#ids)])
	elseif mode == "cached" then return wrk.format("GET", "/api/v1/tweets/" .. ids[#ids - math.random(math.min(20000, #ids)) + 1])
	elseif mode == "peer_cached" then return call("GET", "/c/tweets/" .. ids[#ids - math.random(math.min(20000, #ids)) + 1])
	elseif mode == "home" then return call("GET", "/api/v1/tweets/home?limit=50")
	elseif mode == "peer_home" then return call("GET", "/tweets")
	elseif mode == "post" then return call("POST", "/api/v1/tweets", '{"text":"' .. text() .. n .. '"}')
	elseif mode == "bundle" then return call("POST", "/api/v1/encryption/bundles", '{"account_id":"' .. ids[math.random(#ids)] .. '"}')
	elseif mode == "peer_post" then return call("POST", "/tweets", '{"body":"' .. text() .. n .. '"}')
	end
end

function done(summary, latency, requests)
	io.write(string.format("requests=%d per_second=%.0f p50_ms=%.3f p99_ms=%.3f refused=%d broken=%d bytes=%.0f\n",
		summary.requests, summary.requests / (summary.duration / 1e6),
		latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.status,
		summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
		summary.bytes / summary.requests))
end
