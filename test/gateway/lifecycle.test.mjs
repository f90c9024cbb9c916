// Processes: options, stopping, reloading, sharing a port, and a database that goes and comes.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { WebSocketClient, answers, binary, call, connect, databaseUrl, folder, freePort, hold, liftLimits, lines as complete, metric, raw, sql, startGateway, testRoutes, until, waiting } from './lib.mjs';

before(() => {
	liftLimits();
	testRoutes();
});

const get = (gateway, path, options = {}) => fetch(`${gateway.url}${path}`, options);

test('--help and --version', () => {
	const help = execFileSync(binary, ['--help'], { encoding: 'utf8' });
	for (const name of ['port', 'database-url', 'tls-cert', 'body-limit', 'workers', 'cors-origins']) assert.match(help, new RegExp(`--${name} `));
	assert.match(execFileSync(binary, ['--version'], { encoding: 'utf8' }), /^roost-gateway \d+\.\d+\.\d+\n$/);
});
test('mistakes in the configuration are explained, with exit code 2', () => {
	const file = join(folder, 'bad.conf');
	const open = join(folder, 'open-password');
	writeFileSync(open, 'secret');
	chmodSync(open, 0o644);
	writeFileSync(file, 'port = 8080\n# a comment\nbody-limit = enormous\n');
	for (const [args, environment, why] of [
		[['--nonsense', '1'], {}, /--nonsense: unknown option/],
		[['--port'], {}, /--port: needs a value/],
		[['--port', '0'], {}, /--port: must be from 1 to 65535/],
		[['--body-limit=12 parsecs'], {}, /--body-limit: must be a size/],
		[['--header-timeout=1year'], {}, /--header-timeout: must be a time/],
		[['--gzip=perhaps'], {}, /--gzip: must be on or off/],
		[['serve'], {}, /unexpected argument "serve"/],
		[['--trusted-proxies=10.0.0.0/33'], {}, /trusted-proxies: must be networks/],
		[['--forwarded-header=via'], {}, /forwarded-header: must be/],
		[['--tls-cert=/x'], {}, /tls-cert and tls-key go together/],
		[['--database-url=host=x password=y'], {}, /password, which everyone/],
		[['--database-url=postgresql://me:secret@x/db'], {}, /password, which everyone/],
		[['--password-file', open], {}, /open to others/],
		[['--password-file', '/nowhere'], {}, /No such file/],
		[['--config', file], {}, /bad\.conf:3: body-limit: must be a size/],
		[['--config', '/nowhere'], {}, /could not read/],
		[[], { ROOST_GATEWAY_PORT: 'x' }, /ROOST_GATEWAY_PORT: must be a number/],
	]) {
		const run = spawnSync(binary, args, { encoding: 'utf8', env: { ...process.env, ...environment } });
		assert.equal(run.status, 2, `${args} ${run.stderr}`);
		assert.match(run.stderr, why);
		assert.doesNotMatch(run.stderr, /secret/);
	}
});
test('a flag wins over the environment, that over the file', async () => {
	const file = join(folder, 'good.conf');
	const port = await freePort();
	writeFileSync(file, `port = 1\nbody-limit = 2kB   \n\n  # comment\nheader-limit=4kB\n`);
	const gateway = await startGateway({ port, config: file }, { ROOST_GATEWAY_PORT: '2', ROOST_GATEWAY_BODY_LIMIT: '3kB' });
	const post = (size) => call(gateway, 'POST', '/test/echo', { body: { text: 'x'.repeat(size) } });
	assert.equal((await post(2500)).status, 200);
	assert.equal((await post(3500)).status, 413);
	assert.equal((await get(gateway, '/health', { headers: { a: 'x'.repeat(5000) } })).status, 431);
	await gateway.stop();
});
test('a port that is taken by another program is an error', async () => {
	const server = http.createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const run = spawnSync(binary, ['--port', String(server.address().port), '--database-url', databaseUrl], { encoding: 'utf8' });
	assert.equal(run.status, 1);
	assert.match(run.stderr, /could not listen/);
	server.close();
});
test('the access log is JSON, knows no query, and can be rotated', async () => {
	const log = join(folder, 'access.log');
	const gateway = await startGateway({ 'access-log': log });
	const lines = (file) => (existsSync(file) ? complete(readFileSync(file, 'utf8')).map((line) => JSON.parse(line)) : []);
	await get(gateway, '/health?token=hidden&"\n', { headers: { 'x-request-id': 'first-line', authorization: 'Bearer hidden' } });
	const first = await until(() => lines(log).find((line) => line.id === 'first-line'), 'the line');
	assert.deepEqual(Object.keys(first), ['time', 'id', 'address', 'method', 'path', 'status', 'bytes', 'ms', 'http']);
	assert.equal(first.path, '/health');
	assert.equal(first.status, 200);
	assert.doesNotMatch(readFileSync(log, 'utf8') + gateway.log, /hidden/);
	renameSync(log, `${log}.1`);
	process.kill(gateway.pid, 'SIGHUP');
	await until(() => existsSync(log), 'the new log');
	await get(gateway, '/"quoted"/é', { headers: { 'x-request-id': 'second-line' } });
	await until(() => lines(log).find((line) => line.id === 'second-line'), 'the line in the new log');
	assert.ok(!lines(`${log}.1`).find((line) => line.id === 'second-line'));
	await gateway.stop();
});
test('SIGHUP reads the configuration again; a mistake changes nothing', async () => {
	const file = join(folder, 'reload.conf');
	writeFileSync(file, 'body-limit = 2kB\n');
	const gateway = await startGateway({ config: file });
	const post = async (size) => (await call(gateway, 'POST', '/test/echo', { body: { text: 'x'.repeat(size) } })).status;
	assert.equal(await post(5000), 413);
	writeFileSync(file, 'body-limit = 16kB\nfast-connections = 5\n');
	process.kill(gateway.pid, 'SIGHUP');
	await until(async () => await post(5000) === 200, 'the new limit');
	await until(() => /fast-connections\\" changed; it takes effect after a restart/.test(gateway.log), 'the remark');
	writeFileSync(file, 'body-limit = 1kB\nnonsense = 1\n');
	process.kill(gateway.pid, 'SIGHUP');
	await until(() => /configuration not changed: .*reload\.conf:2/.test(gateway.log), 'the complaint');
	assert.equal(await post(5000), 200);
	await gateway.stop();
});
test('new routes are known to the gateway without a restart', async () => {
	const gateway = await startGateway();
	sql(`SELECT roost_internal.route('POST', '/test/new/:text', 'gateway_test.echo', auth => 'none')`);
	process.kill(gateway.pid, 'SIGHUP');
	await until(async () => (await get(gateway, '/test/new/x', { method: 'OPTIONS' })).headers.get('allow') === 'OPTIONS, POST', 'the route');
	assert.equal((await call(gateway, 'POST', '/test/new/hello')).json, 'hello');
	await gateway.stop();
});
test('the metrics are what Prometheus reads, and count', async () => {
	const gateway = await startGateway();
	for (let i = 0; i < 5; i++) await get(gateway, '/test/long/10');
	await get(gateway, '/nowhere');
	const text = await (await get(gateway, '/metrics')).text();
	assert.equal(await metric(gateway, 'roost_gateway_requests_total', { route: '/test/long/:size', status: '2xx' }), 5);
	assert.equal(await metric(gateway, 'roost_gateway_requests_total', { route: 'unmatched', status: '4xx' }), 1);
	assert.equal(await metric(gateway, 'roost_gateway_request_duration_seconds_count', { lane: 'fast' }), 6);
	await until(async () => await metric(gateway, 'roost_gateway_database_up') === 1, 'an answer in time');
	assert.ok(await metric(gateway, 'process_resident_memory_bytes') > 1e6);
	await until(async () => await metric(gateway, 'roost_gateway_lane_connections') >= 3, 'the connections');
	// the grammar of the text format: every sample has a HELP and a TYPE before it, and no sample stands twice
	const seen = new Set();
	const types = new Map();
	for (const line of text.trim().split('\n')) {
		const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
		if (type) types.set(type[1], type[2]);
		if (line.startsWith('#')) { assert.match(line, /^# (HELP \S+ .+\.|TYPE \S+ (counter|gauge|histogram))$/); continue; }
		const sample = /^([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? (\d+(\.\d+)?(e-\d+)?)$/.exec(line);
		assert.ok(sample, line);
		assert.ok(types.has(sample[1]) || types.get(sample[1].replace(/_(bucket|sum|count)$/, '')) === 'histogram', line);
		assert.ok(!seen.has(sample[1] + sample[2]), line);
		seen.add(sample[1] + sample[2]);
	}
	const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
	if (!promtool.error) assert.equal(promtool.status, 0, promtool.stderr + promtool.stdout);
	await gateway.stop();
});

test('stopping finishes what is in flight and refuses what is new', async () => {
	const gateway = await startGateway({ 'stop-timeout': '1min' });
	const held = await hold(301);
	const pending = get(gateway, '/test/wait/301');
	const idle = connect(gateway);
	idle.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
	await once(idle, 'data');
	await until(() => waiting(301) === 1, 'the request');
	process.kill(gateway.pid, 'SIGTERM');
	idle.resume();
	await once(idle, 'end');
	idle.destroy();
	await until(() => get(gateway, '/health').then(() => false, () => true), 'the end of the listener');
	assert.ok(!gateway.ended);
	await held.release();
	const answer = await pending;
	assert.equal(answer.status, 200);
	assert.equal(answer.headers.get('connection'), 'close');
	assert.equal(await gateway.exited, 0);
});
test('stopping does not wait for ever', async () => {
	const gateway = await startGateway({ 'stop-timeout': '200ms' });
	const held = await hold(302);
	const pending = get(gateway, '/test/wait/302').then(() => 'answered', () => 'cut off');
	await until(() => waiting(302) === 1, 'the request');
	await gateway.stop();
	assert.equal(await pending, 'cut off');
	await held.release();
});
test('stopping under load loses no request', async () => {
	const gateway = await startGateway();
	const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
	const results = { answered: 0, refused: 0, lost: [] };
	const worker = async () => {
		for (;;) {
			const done = await new Promise((resolve) => {
				const request = http.get(`${gateway.url}/test/long/2000`, { agent }, (answer) => {
					let size = 0;
					answer.on('data', (data) => { size += data.length; });
					answer.on('end', () => { if (answer.statusCode === 200 && size === 2002) results.answered++; else results.lost.push(`${answer.statusCode} ${size}`); resolve(false); });
					answer.on('aborted', () => { results.lost.push('aborted'); resolve(true); });
				});
				request.on('error', (error) => {
					// a connection that was idle, or not there any more
					if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(error.code)) results.refused++;
					else results.lost.push(error.code);
					resolve(true);
				});
			});
			if (done) return;
		}
	};
	const load = Promise.all(Array.from({ length: 16 }, worker));
	await until(() => results.answered > 500, 'the load');
	await gateway.stop();
	await load;
	agent.destroy();
	assert.deepEqual(results.lost, []);
});
test('clients that go while their answer is pending harm nobody and cost nothing', async () => {
	const gateway = await startGateway({ 'slow-connections': 4 });
	const held = await hold(303);
	const sockets = Array.from({ length: 20 }, () => connect(gateway));
	for (const socket of sockets) socket.write('GET /test/wait/303 HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n');
	await until(() => waiting(303) === 4, 'the requests');
	sockets.forEach((socket, i) => (i % 2 ? socket.resetAndDestroy() : socket.end()));
	const cpu = () => Number(readFileSync(`/proc/${gateway.pid}/schedstat`, 'utf8').split(' ')[0]);
	const [start, began] = [cpu(), Date.now()];
	const seen = [];
	for (let i = 0; i < 10; i++) { seen.push((await get(gateway, '/health')).status); await new Promise((resolve) => setTimeout(resolve, 50)); }
	const [used, time] = [(cpu() - start) / 1e6, Date.now() - began];
	assert.ok(used < 150 + time / 5, `the gateway used ${used} ms of CPU in ${time} ms, while it should wait`);
	assert.ok(seen.every((status) => status === 200));
	await held.release();
	await until(async () => await metric(gateway, 'roost_gateway_lane_in_flight') + await metric(gateway, 'roost_gateway_lane_queue') === 0, 'the end of the statements');
	await until(async () => await metric(gateway, 'roost_gateway_clients') <= 2, 'the end of the connections');
	await gateway.stop();
});
test('a full queue is 503 at once, with Retry-After', async () => {
	const gateway = await startGateway({ 'slow-connections': 1, 'slow-queue-limit': 2 });
	await until(async () => await metric(gateway, 'roost_gateway_lane_connections', { lane: 'slow' }) === 1, 'the connection of the lane');
	const held = await hold(304);
	const pending = Array.from({ length: 3 }, () => get(gateway, '/test/wait/304'));
	await until(async () => await metric(gateway, 'roost_gateway_lane_queue', { lane: 'slow' }) === 2, 'the queue');
	const refused = await call(gateway, 'GET', '/test/wait/304');
	assert.equal(refused.status, 503);
	assert.equal(refused.json.code, 'overloaded');
	assert.equal(refused.headers.get('retry-after'), '1');
	assert.equal((await call(gateway, 'GET', '/test/long/10')).status, 200, 'the other lanes go on');
	await held.release();
	for (const answer of await Promise.all(pending)) assert.equal(answer.status, 200);
	await gateway.stop();
});
test('a statement that takes too long is 504', async () => {
	const gateway = await startGateway({ 'slow-timeout': '200ms' });
	const held = await hold(305);
	const late = await call(gateway, 'GET', '/test/wait/305');
	assert.equal(late.status, 504);
	assert.equal(late.json.code, 'timeout');
	await held.release();
	// (a machine that has other things to do may take as long for it)
	await until(async () => (await call(gateway, 'GET', '/test/wait/305')).status === 200, 'one that does not');
	await gateway.stop();
});
test('connections that the database ends are made again', async () => {
	const gateway = await startGateway();
	const held = await hold(306);
	const pending = call(gateway, 'GET', '/test/wait/306');
	await until(() => waiting(306) === 1, 'the request');
	sql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'roost-gateway%'`);
	const lost = await pending;
	assert.equal(lost.status, 503);
	assert.equal(lost.json.code, 'unavailable');
	assert.ok(lost.headers.get('retry-after'));
	await held.release();
	await until(async () => (await get(gateway, '/test/long/10')).status === 200, 'the new connections');
	await gateway.stop();
});
test('right after the start requests wait for the first connection of their lane', async () => {
	// a server in front of the server that keeps connections of the slow lane waiting
	const port = /port=(\d+)/.exec(databaseUrl)[1];
	const socketName = `.s.PGSQL.${port}`;
	const target = join(/host=(\S+)/.exec(databaseUrl)[1], socketName);
	const held = [];
	const proxy = net.createServer((client) => {
		client.on('error', () => {});
		client.once('data', (first) => {
			const forward = () => {
				const server = net.connect(target);
				server.on('error', () => client.destroy());
				server.on('close', () => client.destroy());
				client.on('close', () => server.destroy());
				server.write(first);
				client.pipe(server);
				server.pipe(client);
			};
			client.pause();
			if (first.includes('roost-gateway slow')) held.push(forward);
			else forward();
		});
	}).listen(join(folder, socketName));
	await once(proxy, 'listening');
	const gateway = await startGateway({ 'database-url': databaseUrl.replace(/host=\S+/, `host=${folder}`), 'connect-timeout': '60s' });
	await until(() => held.length === 2, 'the connections of the slow lane');
	const pending = call(gateway, 'GET', '/test/wait/317');
	await until(async () => await metric(gateway, 'roost_gateway_lane_queue', { lane: 'slow' }) === 1, 'the request');
	held.forEach((forward) => forward());
	assert.equal((await pending).status, 200);
	await gateway.stop();
	proxy.close();
});
test('a gateway is healthy when it knows the routes, not before', async () => {
	sql(`BEGIN; ALTER FUNCTION roost.gateway_config() RENAME TO gateway_config_later;
		CREATE FUNCTION roost.gateway_config() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'not yet'; END $$;
		GRANT EXECUTE ON FUNCTION roost.gateway_config() TO roost_gateway; COMMIT`);
	const gateway = await startGateway({ ready: false });
	try {
		await until(async () => (await get(gateway, '/health').then((answer) => answer.json()).catch(() => ({}))).status === 'starting', 'the start');
		assert.equal((await get(gateway, '/health')).status, 503);
	} finally {
		sql('BEGIN; DROP FUNCTION roost.gateway_config(); ALTER FUNCTION roost.gateway_config_later() RENAME TO gateway_config; COMMIT');
	}
	process.kill(gateway.pid, 'SIGHUP');
	await until(async () => (await get(gateway, '/health')).status === 200, 'the routes');
	const socket = await get(gateway, '/api/v1/stream');
	assert.equal(socket.status, 426, 'which the first one to see that can rely on');
	await gateway.stop();
});
test('a gateway without a database answers 503, and 200 when it comes', async () => {
	const gateway = await startGateway({ ready: false, 'database-url': databaseUrl.replace(/dbname=\S+/, 'dbname=not_yet') });
	const health = await until(() => get(gateway, '/health').catch(() => undefined), 'the gateway');
	assert.equal(health.status, 503);
	const body = await health.json();
	assert.equal(body.status, 'unavailable');
	assert.match(body.gateway.version, /^\d/);
	const answer = await get(gateway, '/tweets/public');
	assert.equal(answer.status, 503);
	assert.equal((await answer.json()).code, 'unavailable');
	const socket = new WebSocketClient(gateway); // below which path there is one, the database has not said
	assert.equal(await socket.handshake(), 503);
	assert.match(socket.head, /\r\nretry-after: \d/);
	socket.destroy();
	assert.equal(await metric(gateway, 'roost_gateway_database_up'), 0);
	await gateway.stop();
});
test('PostgreSQL may restart in the middle: requests fail fast, then go on', async () => {
	const gateway = await startGateway();
	const data = sql('SHOW data_directory');
	const statuses = new Map();
	let stop = false;
	const client = async (path) => {
		while (!stop) {
			const answer = await get(gateway, path, { signal: AbortSignal.timeout(20000) });
			statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
			await answer.text();
		}
	};
	const load = Promise.all(Array.from({ length: 8 }, (_, i) => client(i % 2 ? '/test/long/100' : '/tweets/public')));
	await until(() => statuses.get(200) > 100, 'the load');
	const restart = spawn('pg_ctl', ['-D', data, '-w', '-m', 'fast', 'restart'], { stdio: 'ignore' });
	assert.deepEqual(await once(restart, 'exit'), [0, null]); // the load goes on meanwhile
	const answered = statuses.get(200);
	await until(() => statuses.get(200) > answered + 100, 'answers after the restart');
	stop = true;
	await load;
	assert.deepEqual([...statuses.keys()].filter((status) => status !== 200 && status !== 503), [], JSON.stringify([...statuses]));
	assert.ok(statuses.get(503) > 0, 'the restart was noticed');
	await until(async () => (await get(gateway, '/health')).status === 200, '/health');
	await gateway.stop();
});
test('two gateways share a port', async () => {
	const first = await startGateway();
	const second = await startGateway({ port: first.port, ready: false });
	await until(() => /routes, /.test(second.log), 'the second');
	const pids = new Set();
	// what a process counts tells which one answered
	await until(async () => {
		const text = await (await get(first, '/metrics', { headers: { connection: 'close' } })).text();
		pids.add(/^process_start_time_seconds (\S+)$/m.exec(text)[1]);
		return pids.size === 2;
	}, 'answers of both');
	await first.stop();
	for (let i = 0; i < 20; i++) assert.equal((await call(second, 'GET', '/test/long/10')).status, 200);
	await second.stop();
});
test('--workers: several processes, added up metrics, and a crashed one is replaced', async () => {
	const gateway = await startGateway({ workers: 3 });
	const children = () => readFileSync(`/proc/${gateway.pid}/task/${gateway.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
	await until(() => children().length === 3 && gateway.log.match(/routes, /g).length === 3, 'the workers');
	for (let i = 0; i < 30; i++) await raw(gateway, 'GET /test/long/10 HTTP/1.0\r\n\r\n');
	assert.equal(await metric(gateway, 'roost_gateway_processes'), 3);
	assert.equal(await metric(gateway, 'roost_gateway_requests_total', { route: '/test/long/:size', status: '2xx' }), 30);
	const [victim] = children();
	process.kill(victim, 'SIGKILL');
	await until(() => children().length === 3 && !children().includes(victim), 'the replacement');
	await until(async () => (await raw(gateway, 'GET /health HTTP/1.0\r\n\r\n').catch(() => '')).includes(' 200 '), 'an answer');
	await until(async () => await metric(gateway, 'roost_gateway_processes').catch(() => 0) === 3, 'the metrics of the replacement');
	await gateway.stop();
});
test('a password comes from a file that only its owner reads', async () => {
	const file = join(folder, 'password');
	writeFileSync(file, 'not needed here\n');
	chmodSync(file, 0o600);
	const gateway = await startGateway({ 'password-file': file });
	assert.equal((await call(gateway, 'GET', '/test/long/10')).status, 200);
	assert.doesNotMatch(readFileSync(`/proc/${gateway.pid}/cmdline`, 'utf8') + gateway.log, /not needed here/);
	await gateway.stop();
});
