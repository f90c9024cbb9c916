// What the gateway's tests share: processes, raw sockets, SQL, accounts, and a
// check of every answer against /openapi.json.
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';

// Where npm could not fetch these packages, answers are not checked against the description (openapi.test.mjs says so).
export const [Ajv2020, addFormats] = await Promise.all(['ajv/dist/2020.js', 'ajv-formats'].map((name) =>
	import(name).then((module) => module.default, () => undefined)));

export const binary = process.env.ROOST_GATEWAY;
export const databaseUrl = process.env.ROOST_DATABASE_URL;
assert.ok(binary && databaseUrl, 'ROOST_GATEWAY and ROOST_DATABASE_URL say what to test');

// node 18 knows this only in part
Headers.prototype.getSetCookie ??= function () { return this.get('set-cookie')?.split(/, (?=[\w-]+=)/) ?? []; };

export const folder = mkdtempSync(join(tmpdir(), 'roost-gateway-test-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

// Resolves with what condition() returns once that is true; rejects after a long time, with what it returned last and what saw() says.
export async function until(condition, what = 'the condition', patience = 60000, saw = () => undefined) {
	const end = Date.now() + patience;
	for (;;) {
		const value = await condition();
		if (value) return value;
		if (Date.now() > end) throw new Error(`${what} did not come true: ${condition} is ${String(value)} ${JSON.stringify(await saw()) ?? ''}`.slice(0, 2000));
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

// A port that nothing listens at now, below the range of outgoing connections: one of these could have it when a gateway comes back.
// Suites that run at one moment have ports of their own, and none is given twice (gateways may share one, so neither would notice).
// fetch() and browsers refuse some, the nearest are 6697 and 10080; the TAP suite has those from 10200 on.
const given = new Set();
export async function freePort() {
	const [first, last] = (process.env.ROOST_TEST_PORTS ?? '7000-9999').split('-').map(Number);
	for (;;) {
		const port = first + Math.floor(Math.random() * (last - first + 1));
		if (given.has(port)) continue;
		given.add(port);
		const server = net.createServer().listen(port, '127.0.0.1');
		if (!await once(server, 'listening').catch(() => null)) continue;
		server.close();
		await once(server, 'close');
		return port;
	}
}

// Runs SQL as the superuser (environment PG*), returns its output.
export function sql(text) {
	return execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-'], { input: text, encoding: 'utf8' }).trim();
}

// Gateways that a test which failed has left would keep this process for ever.
const children = new Set();
after(() => {
	setTimeout(() => { for (const child of children) child.kill('SIGKILL'); }, 60000).unref();
});

// Starts a gateway on a free port; stop() ends it and returns its exit code.
export async function startGateway(options = {}, environment = {}) {
	const { port = await freePort(), ready = true, ...flags } = options;
	// Patient ones: fetch keeps connections for four seconds, and the gateway must not close one just when it is used again;
	// and a machine that has other things to do may take its time.
	const settings = { port, 'database-url': databaseUrl, 'access-log': 'off', 'idle-timeout': '1min', 'write-lane-timeout': '1min', 'slow-timeout': '1min', ...flags };
	const args = Object.entries(settings).filter(([, value]) => value !== undefined).map(([name, value]) => `--${name}=${value}`);
	const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
	const gateway = { port, url: `http${flags['tls-cert'] ? 's' : ''}://127.0.0.1:${port}`, pid: child.pid, child, log: '', out: '' };
	child.stdout.on('data', (data) => { gateway.out += data; });
	child.stderr.on('data', (data) => { gateway.log += data; });
	children.add(child);
	gateway.exited = once(child, 'exit').then(([code, signal]) => { gateway.ended = true; children.delete(child); return code ?? signal; });
	gateway.stop = async () => {
		if (!gateway.ended) child.kill('SIGTERM');
		try {
			await until(() => gateway.ended, 'the end of the gateway', 60000);
		} catch (error) {
			child.kill('SIGKILL');
			throw error;
		}
		const code = await gateway.exited;
		assert.equal(code, 0, `the gateway ended with ${code}: ${gateway.log}`);
		assert.doesNotMatch(gateway.log, /runtime error:|AddressSanitizer|LeakSanitizer/);
		return code;
	};
	if (ready) {
		await until(async () => {
			if (gateway.ended) throw new Error(`the gateway did not start: ${gateway.log}`);
			return /"200"|200 OK/.test((await raw(gateway, 'GET /health HTTP/1.0\r\n\r\n').catch(() => '')).split('\r\n')[0]);
		}, 'the gateway', undefined, () => gateway.log);
		await until(() => /routes, /.test(gateway.log), 'the list of routes', undefined, () => gateway.log);
		// What is signalled before it listens comes to nobody. (Without a cache it listens when there is a stream.)
		if (settings['cache-size'] !== '0') await until(async () => /\nroost_gateway_doorbell_up [1-9]/.test(await raw(gateway, 'GET /metrics HTTP/1.0\r\n\r\n').catch(() => '')), 'the connection that listens', undefined, () => gateway.log);
	}
	return gateway;
}

// Resolves when a gateway has read, and told its streams, everything that was done before.
export async function caughtUp(gateway) {
	await until(() => sql('SELECT roost.worker_sync()') === 't', 'the worker');
	const [epoch, last] = sql('SELECT epoch, last_seq FROM roost.feed_position()').split('|');
	const client = await WebSocketClient.open(gateway);
	await client.ask({ type: 'subscribe', channels: ['public'] });
	await until(async () => {
		const [of, seq] = (await client.ask({ type: 'ping' })).cursor?.split('-') ?? [];
		return of === epoch && BigInt(seq) >= BigInt(last);
	}, 'the end of the log');
	await client.close();
}

// The lines of a log that are complete.
export const lines = (log) => log.split('\n').slice(0, -1);

export function connect(gateway) {
	const secure = gateway.url.startsWith('https');
	const socket = secure ? tls.connect({ port: gateway.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
		: net.connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
	socket.on('error', () => {});
	return socket;
}

// Sends bytes on a new connection and resolves with everything that comes back until the end.
export function raw(gateway, bytes, { end = false } = {}) {
	return new Promise((resolve, reject) => {
		const socket = connect(gateway);
		const parts = [];
		socket.on('connect', () => { socket.write(bytes); if (end) socket.end(); });
		socket.on('data', (data) => parts.push(data));
		socket.on('error', (error) => { if (parts.length === 0) reject(error); });
		socket.on('end', () => socket.end());
		socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
	});
}

// Splits what came on a connection into answers by Content-Length.
export function answers(text) {
	const found = [];
	while (text.length > 0) {
		const end = text.indexOf('\r\n\r\n');
		assert.ok(end > 0, `not an answer: ${text.slice(0, 200)}`);
		const head = text.slice(0, end);
		const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)[1]);
		const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
		const headers = Object.fromEntries(head.split('\r\n').slice(1).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
		found.push({ status, headers, body: text.slice(end + 4, end + 4 + length) });
		text = text.slice(end + 4 + length);
	}
	return found;
}

let document;

// Loads /openapi.json once and compiles its schemas as they are needed.
async function openapi(gateway) {
	if (document === undefined) {
		const answer = await fetch(`${gateway.url}/openapi.json`);
		if (answer.status !== 200) return document = null; // openapi.test.mjs complains about that
		document = await answer.json();
		document.ajv = new Ajv2020({ strict: false, allErrors: true });
		addFormats(document.ajv);
		document.ajv.addSchema({ $id: 'openapi', ...document, ajv: undefined });
		document.compiled = new Map();
	}
	return document;
}

// Checks an answer against the description of its operation; fails on an undescribed status.
async function checkAgainstDescription(gateway, method, path, status, body) {
	const description = Ajv2020 ? await openapi(gateway) : null;
	if (description === null) return;
	const segments = path.replace(/\?.*/, '').replace(/^\/api\/v1(?=\/)/, '').split('/');
	const template = Object.keys(description.paths).filter((candidate) => {
		const parts = candidate.replace(/^\/api\/v1(?=\/)/, '').split('/');
		return description.paths[candidate][method.toLowerCase()] && parts.length === segments.length &&
			parts.every((part, i) => part.startsWith('{') || part === segments[i]);
	}).sort((a, b) => a.split('{').length - b.split('{').length)[0];
	if (!template) return;
	const responses = description.paths[template][method.toLowerCase()].responses;
	const key = responses[status] ? String(status) : responses[`${String(status)[0]}XX`] ? `${String(status)[0]}XX` : 'default';
	assert.ok(responses[key], `${method} ${template} does not describe ${status}`);
	let response = responses[key];
	let pointer = `/paths/${template.replace(/~/g, '~0').replace(/\//g, '~1')}/${method.toLowerCase()}/responses/${key}`;
	if (response.$ref) {
		pointer = response.$ref.slice(1);
		response = pointer.slice(1).split('/').reduce((node, name) => node[name], description);
	}
	const type = Object.keys(response.content ?? {}).find((name) => name.includes('json'));
	if (!type) {
		assert.ok(body === undefined || status >= 400, `${method} ${template} ${status} describes no body`);
		return;
	}
	const reference = `openapi#${pointer.split('/').map(encodeURIComponent).join('/')}/content/${encodeURIComponent(type.replace(/\//g, '~1'))}/schema`;
	let validate = description.compiled.get(reference);
	if (!validate) description.compiled.set(reference, validate = description.ajv.compile({ $ref: reference }));
	assert.ok(validate(body), `${method} ${path} ${status} does not match its description: ${JSON.stringify(validate.errors)} ${JSON.stringify(body).slice(0, 500)}`);
}

// Checks an event of a stream against the description.
export async function checkEvent(gateway, event) {
	const description = Ajv2020 ? await openapi(gateway) : null;
	if (description === null) return;
	const reference = 'openapi#/components/schemas/event';
	let validate = description.compiled.get(reference);
	if (!validate) description.compiled.set(reference, validate = description.ajv.compile({ $ref: reference }));
	assert.ok(validate(event), `the event ${event.event} does not match its description: ${JSON.stringify(event).slice(0, 500)}`);
}

// Makes a request with JSON in and out, and checks the answer against the description.
export async function call(gateway, method, path, { body, token, headers = {}, text } = {}) {
	const answer = await fetch(`${gateway.url}${path}`, {
		method,
		redirect: 'manual',
		headers: {
			...(body !== undefined || text !== undefined ? { 'content-type': 'application/json' } : {}),
			...(token ? { authorization: `Bearer ${token}` } : {}),
			...headers,
		},
		body: text ?? (body === undefined ? undefined : JSON.stringify(body)),
	});
	const content = await answer.text();
	const result = { status: answer.status, headers: answer.headers, text: content, json: undefined };
	if (/json/.test(answer.headers.get('content-type') ?? '') && content) result.json = JSON.parse(content);
	if (method !== 'HEAD') await checkAgainstDescription(gateway, method, path, answer.status, result.json);
	if (answer.status >= 400 && result.json) {
		assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
		assert.equal(result.json.status, answer.status);
		assert.equal(result.json.request_id, answer.headers.get('x-request-id'));
		assert.match(result.json.code, /^[a-z_]+$/);
	}
	return result;
}

let made = 0;

// Registers an account; resolves with its token, id and name.
export async function account(gateway, prefix = 'user') {
	const own = `_${process.pid.toString(36)}${(++made).toString(36)}`;
	const username = prefix.slice(0, 20 - own.length) + own;
	const password = `a fine password ${username}`;
	const answer = await call(gateway, 'POST', '/auth/register', { body: { username, email: `${username}@example.org`, password } });
	assert.equal(answer.status, 201, answer.text);
	return { username, password, email: `${username}@example.org`, id: answer.json.account.id, token: answer.json.access_token, session: answer.json };
}

// Lets requests from this machine come as fast as they like.
export function liftLimits() {
	sql(`SELECT roost.limit_exempt(network => '127.0.0.0/8', reason => 'tests')`);
}

// Adds functions that only tests need: one that takes its time, one that fails, one with a long answer.
export function testRoutes() {
	sql(`
		SET client_min_messages = warning;
		BEGIN;
		SELECT pg_advisory_xact_lock(1);
		CREATE SCHEMA IF NOT EXISTS gateway_test;
		GRANT USAGE ON SCHEMA gateway_test TO PUBLIC;
		CREATE OR REPLACE FUNCTION gateway_test.wait(key integer) RETURNS boolean LANGUAGE plpgsql AS
			$$ BEGIN PERFORM pg_advisory_xact_lock_shared(key); RETURN true; END $$;
		CREATE OR REPLACE FUNCTION gateway_test.bug() RETURNS boolean LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'XX000', MESSAGE = 'a secret of the inside'; END $$;
		CREATE OR REPLACE FUNCTION gateway_test.busy(seconds integer DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS
			$$ BEGIN
				IF seconds IS NOT NULL THEN PERFORM roost.response_header('Retry-After', seconds::text); END IF;
				RAISE EXCEPTION USING ERRCODE = '55P03', MESSAGE = 'somebody else has it';
			END $$;
		CREATE OR REPLACE FUNCTION gateway_test.more(length integer, state text DEFAULT '55000') RETURNS boolean LANGUAGE plpgsql AS
			$$ BEGIN
				PERFORM roost.problem_member('missing', jsonb_build_array('a"b', repeat('é', length))), roost.problem_member('left_over', '{"a": [1, null]}');
				PERFORM roost.response_header('X-Said', 'too');
				RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'not so';
			END $$;
		CREATE OR REPLACE FUNCTION gateway_test.quoted(text text) RETURNS boolean LANGUAGE plpgsql AS
			$$ BEGIN
				PERFORM roost.response_header('X-Said', 'too');
				EXECUTE format('SELECT gateway_test.bug(), %L', text);
				RETURN true;
			END $$;
		CREATE OR REPLACE FUNCTION gateway_test.long(size integer) RETURNS text LANGUAGE sql IMMUTABLE AS
			$$ SELECT repeat('0123456789', size / 10) $$;
		CREATE TABLE IF NOT EXISTS gateway_test.note (text text);
		CREATE OR REPLACE FUNCTION gateway_test.note(text text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
			$$ BEGIN INSERT INTO gateway_test.note VALUES (note.text); END $$;
		CREATE OR REPLACE FUNCTION gateway_test.echo(text text) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT text $$;
		SELECT roost_internal.route('GET', '/test/wait/:key', 'gateway_test.wait', auth => 'none', lane => 'slow');
		SELECT roost_internal.route('GET', '/test/waitfast/:key', 'gateway_test.wait', auth => 'none', lane => 'fast');
		SELECT roost_internal.route('GET', '/test/bug', 'gateway_test.bug', auth => 'none', lane => 'fast');
		SELECT roost_internal.route('GET', '/test/busy', 'gateway_test.busy', auth => 'none', lane => 'fast');
		SELECT roost_internal.route('POST', '/test/more', 'gateway_test.more', auth => 'none');
		SELECT roost_internal.route('POST', '/test/quoted', 'gateway_test.quoted', auth => 'none');
		SELECT roost_internal.route('GET', '/test/long/:size', 'gateway_test.long', auth => 'none', lane => 'fast');
		SELECT roost_internal.route('POST', '/test/echo', 'gateway_test.echo', auth => 'none');
		SELECT roost_internal.route('POST', '/test/note', 'gateway_test.note', auth => 'none');
		SELECT roost_internal.route('POST', '/test/waitwrite/:key', 'gateway_test.wait', auth => 'none', lane => 'write');
		COMMIT;
	`);
}

// Holds what GET /test/wait/KEY waits for (or what a statement locks), in a session of its own; release() lets it go.
export async function hold(key, statement = `SELECT pg_advisory_lock(${key})`) {
	const child = spawn('psql', ['-X', '-q', '-A', '-t'], { stdio: ['pipe', 'pipe', 'inherit'] });
	child.stdin.write(`${statement};\nSELECT 'held';\n`);
	let out = '';
	child.stdout.on('data', (data) => { out += data; });
	await until(() => out.includes('held'), 'the lock');
	return {
		async release() {
			child.stdin.end();
			await once(child, 'exit');
		},
	};
}

// Returns how many requests of this gateway's database wait for a lock that hold() holds.
export function waiting(key) {
	return Number(sql(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = ${key} AND NOT granted`));
}

// Returns the sum of a metric's lines that have all the given labels.
export async function metric(gateway, name, labels = {}) {
	const text = await (await fetch(`${gateway.url}/metrics`, { headers: { connection: 'close' } })).text();
	return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
		.filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
		.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const OPCODES = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

// Makes a frame of a client; every part of it can be made wrong.
export function wsFrame(opcode, payload = '', { fin = true, rsv = 0, masked = true, mask = Buffer.from([1, 2, 3, 4]), length, bytes } = {}) {
	payload = Buffer.from(payload);
	length ??= BigInt(payload.length);
	bytes ??= length > 0xffffn ? 8 : length > 125n ? 2 : 0;
	const head = Buffer.alloc(2 + bytes);
	head[0] = (fin ? 0x80 : 0) | rsv << 4 | (OPCODES[opcode] ?? opcode);
	head[1] = (masked ? 0x80 : 0) | (bytes === 8 ? 127 : bytes === 2 ? 126 : Number(length));
	if (bytes === 2) head.writeUInt16BE(Number(length), 2);
	if (bytes === 8) head.writeBigUInt64BE(BigInt(length), 2);
	return Buffer.concat([head, ...(masked ? [mask, payload.map((byte, i) => byte ^ mask[i % 4])] : [payload])]);
}

// A close frame's payload.
export const wsClose = (code, reason = '') => Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);

// A WebSocket that can misbehave: raw bytes out, frames in.
export class WebSocketClient {
	constructor(gateway, { path = '/api/v1/stream', protocol = 'roost.v1', headers = {}, key = 'dGhlIHNhbXBsZSBub25jZQ==', early = '', pong = true } = {}) {
		this.frames = []; // { opcode, payload } that nobody has taken
		this.waiting = [];
		this.pongs = pong;
		this.input = Buffer.alloc(0);
		this.socket = connect(gateway);
		const lines = Object.entries({ host: `127.0.0.1:${gateway.port}`, upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13',
			'sec-websocket-key': key, 'sec-websocket-protocol': protocol, ...headers }).filter(([, value]) => value !== undefined);
		this.socket.write(Buffer.concat([Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`), Buffer.from(early)]));
		this.socket.on('data', (data) => this.receive(data));
		this.socket.on('end', () => this.socket.end());
		this.ended = new Promise((resolve) => this.socket.on('close', resolve)).then(() => { this.gone = true; this.wake(); });
	}

	// Opens one; rejects if the gateway does not agree.
	static async open(gateway, options) {
		const client = new WebSocketClient(gateway, options);
		await client.handshake();
		assert.equal(client.status, 101, client.head + client.input);
		return client;
	}

	// Resolves with the status; what is wrong is in .problem then.
	async handshake() {
		await this.until(() => this.head !== undefined, 'the answer to the handshake');
		this.status = Number(this.head.split(' ')[1]);
		if (this.status !== 101) await this.until(() => this.input.length >= Number(/content-length: (\d+)/.exec(this.head)?.[1] ?? 0), 'the error');
		return this.status;
	}

	get problem() { return JSON.parse(this.input.toString()); }

	receive(data) {
		this.input = Buffer.concat([this.input, data]);
		if (this.head === undefined) {
			const end = this.input.indexOf('\r\n\r\n');
			if (end < 0) return;
			this.head = this.input.subarray(0, end).toString('latin1').toLowerCase();
			this.input = this.input.subarray(end + 4);
		}
		while (this.head.startsWith('http/1.1 101') && this.parse());
		this.wake();
	}

	// Takes one frame of the input; fails if it is not one that a server may send.
	parse() {
		const bytes = this.input.length < 2 ? 0 : this.input[1] === 127 ? 8 : this.input[1] === 126 ? 2 : 0;
		if (this.input.length < 2 + bytes) return false;
		const length = bytes === 8 ? Number(this.input.readBigUInt64BE(2)) : bytes === 2 ? this.input.readUInt16BE(2) : this.input[1];
		if (this.input.length < 2 + bytes + length) return false;
		const opcode = this.input[0] & 15;
		assert.equal(this.input[0] & 0xf0, 0x80, 'frames of the server are whole and without reserved bits');
		assert.ok(this.input[1] < 128, 'frames of the server are not masked');
		const payload = Buffer.from(this.input.subarray(2 + bytes, 2 + bytes + length));
		this.input = this.input.subarray(2 + bytes + length);
		if (opcode === 9 && this.pongs) this.send('pong', payload);
		else if (opcode === 8) {
			this.closed = { code: payload.length < 2 ? 1005 : payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
			if (!this.closing) this.send('close', payload.subarray(0, 2));
		} else this.frames.push({ opcode, payload });
		return true;
	}

	wake() { for (const wake of this.waiting.splice(0)) wake(); }

	// What has come: events that a test has collected in .heard or .events, and frames that nobody has taken; the last of them.
	came() {
		const events = (this.heard ?? this.events ?? []).map((event) => JSON.stringify(event).slice(0, 200));
		return [...events, ...this.frames.map((frame) => frame.payload.toString().slice(0, 500))].slice(-12).join('\n');
	}

	// Waits for what comes from the server to make a condition true.
	async until(condition, what, patience = 60000) {
		const end = Date.now() + patience;
		for (;;) {
			const value = condition();
			if (value) return value;
			if (this.gone) throw new Error(`the connection ended before ${what}: ${JSON.stringify(this.closed)} ${this.head} ${this.came()}`);
			if (Date.now() > end) throw new Error(`${what} did not come: ${this.came()}`);
			let timer;
			await new Promise((resolve) => { this.waiting.push(resolve); timer = setTimeout(resolve, 1000); });
			clearTimeout(timer);
		}
	}

	write(bytes) { this.socket.write(bytes); }
	send(opcode, payload, options) { if (opcode === 'close') this.closing = true; this.socket.write(wsFrame(opcode, payload, options)); }
	json(value) { this.send('text', JSON.stringify(value)); }

	// Resolves with the next frame.
	async next() {
		await this.until(() => this.frames.length > 0, 'a frame');
		return this.frames.shift();
	}

	// Resolves with the first message that has all the given members, and takes it; others stay.
	async message(members = {}) {
		const fits = ({ opcode, payload }) => {
			if (opcode !== 1) return false;
			const value = JSON.parse(payload);
			return Object.entries(members).every(([name, wanted]) => value[name] === wanted);
		};
		const found = await this.until(() => this.frames.find(fits), JSON.stringify(members));
		this.frames.splice(this.frames.indexOf(found), 1);
		return JSON.parse(found.payload);
	}

	// Sends a message and resolves with what has its id.
	async ask(value) {
		value.id ??= this.asked = (this.asked ?? 0) + 1;
		this.json(value);
		return this.message({ id: value.id });
	}

	// Resolves with { code, reason } of the server's close frame, when the connection has ended; code 1006: none came.
	async closure() {
		await this.until(() => this.gone, 'the end of the connection').catch((error) => { if (!this.gone) throw error; });
		return this.closed ?? { code: 1006, reason: '' };
	}

	async close(code = 1000) {
		this.send('close', wsClose(code));
		return this.closure();
	}

	destroy() { this.socket.destroy(); }
}
