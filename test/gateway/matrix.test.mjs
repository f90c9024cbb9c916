// Every operation of /openapi.json with every kind of bad input in every place:
// nothing gives a 5xx, what must be refused is, and call() checks each answer
// against the description.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { account, answers, call, liftLimits, raw, sql, startGateway } from './lib.mjs';

let gateway;
let operations;
let alice; // everything is tried as her
let bob; // what is tried on
let values; // of path parameters
let expired;
const seen = new Map(); // how often each status came

before(async () => {
	liftLimits();
	gateway = await startGateway();
	const { json } = await call(gateway, 'GET', '/openapi.json');
	operations = Object.entries(json.paths).filter(([path]) => !/\/test\/|\/stream$/.test(path)).flatMap(([path, item]) =>
		['get', 'post', 'put', 'patch', 'delete'].filter((method) => item[method]).map((method) => describe(json, method, path, item[method])));
	alice = await account(gateway, 'mtx_alice');
	bob = await account(gateway, 'mtx_bob');
	const post = await call(gateway, 'POST', '/tweets', { token: bob.token, body: { text: 'Hit me #matrix' } });
	const session = (await call(gateway, 'GET', '/auth/sessions', { token: bob.token })).json.items[0].id;
	values = { account_id: bob.id, post_id: post.json.id, username: bob.username, hashtag: 'matrix', id: session };
	expired = alice.token.replace(/\.[^.]+$/, '.AAAA');
});
after(() => gateway.stop());

function resolve(json, schema) {
	while (schema?.$ref) schema = schema.$ref.slice(2).split('/').reduce((node, name) => node[name], json);
	return schema;
}

function describe(json, method, path, operation) {
	const body = resolve(json, operation.requestBody?.content?.['application/json']?.schema);
	const fields = Object.entries(body?.properties ?? {}).map(([name, schema]) => ({ name, schema: resolve(json, schema) }));
	return {
		method: method.toUpperCase(), path: path.replace(/^\/api\/v1(?=\/)/, ''), fields, required: body?.required ?? [],
		query: (operation.parameters ?? []).map((parameter) => resolve(json, parameter)).filter((parameter) => parameter.in === 'query')
			.map(({ name, schema }) => ({ name, many: resolve(json, schema).type === 'array' })),
		open: operation.security.length === 0 || operation.security.some((way) => Object.keys(way).length === 0),
		optional: operation.security.some((way) => Object.keys(way).length === 0) && operation.security.length > 1,
	};
}

// These would end what the other tests need.
const ends = ({ method, path }) => (method === 'DELETE' && path === '/users/me') || path.startsWith('/auth/logout');

const url = (operation, given = {}) => operation.path.replace(/\{(\w+)\}/g, (all, name) => given[name] ?? encodeURIComponent(values[name] ?? '1'));

// A value that may well be right for a field.
function plausible({ name, schema }) {
	const types = [schema.type ?? schema.anyOf?.map((one) => one.type) ?? 'string'].flat(2);
	if (schema.enum) return schema.enum[0];
	if (/email/.test(name)) return 'matrix@example.org';
	if (/_id$|^id$/.test(name)) return values.post_id;
	if (/url/.test(name)) return 'https://example.org/';
	if (/date/.test(name)) return '1990-01-01';
	if (name === 'language') return 'en';
	if (name === 'username') return 'mtx_someone';
	if (types.includes('boolean')) return false;
	if (types.includes('integer')) return 1;
	if (types.includes('array')) return [];
	if (types.includes('object')) return {};
	return 'a plausible text';
}

async function attempt(operation, options, path = url(operation)) {
	const answer = await call(gateway, operation.method, path, { token: alice.token, ...options });
	seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
	assert.ok(answer.status < 500, `${operation.method} ${path} ${JSON.stringify(options).slice(0, 300)}: ${answer.text}`);
	return answer;
}

const refused = (answer, what) => assert.ok(answer.status >= 400, `${what}: ${answer.status} ${answer.text}`);

test('there are many operations', () => assert.ok(operations.length > 50, `${operations.length}`));

test('tokens: none, garbled, expired, of another kind', async () => {
	const bad = ['', 'x', 'a.b.c', expired, `${alice.token}x`, alice.session.refresh_token, 'null', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.', 'A'.repeat(4000), '\u00e9', '\' OR 1=1 --'];
	for (const operation of operations) {
		if (ends(operation) === false && operation.open) continue;
		const { status, headers } = await call(gateway, operation.method, url(operation), {});
		assert.equal(status, 401, `${operation.method} ${operation.path} without a token`);
		assert.match(headers.get('www-authenticate'), /^Bearer/);
	}
	const needing = operations.filter((operation) => !operation.open || operation.optional);
	for (const token of bad.filter((one) => !/[^\x20-\x7e]/.test(one))) {
		for (const operation of needing) {
			const answer = await call(gateway, operation.method, url(operation), { headers: { authorization: `Bearer ${token}` } });
			assert.equal(answer.status, 401, `${operation.method} ${operation.path} ${token.slice(0, 30)}: ${answer.text}`);
		}
	}
});

test('bodies: every wrong value in every field', async () => {
	const wrong = [null, true, 0, -1, 1.5, -0.0, '', ' ', '\'; DROP TABLE roost_data.post; --', '%00', '${jndi}', 'x'.repeat(100000), '\u202e', '\ud83d\ude00'.repeat(5), [], [null], [[1]], {}, { a: { b: null } }, '9223372036854775808', '-1', '1e400', 'NaN', 'infinity', '../../etc/passwd', '<script>', '{}', '0x10'];
	for (const operation of operations) {
		if (operation.method === 'GET' || ends(operation)) continue;
		const good = Object.fromEntries(operation.fields.map((field) => [field.name, plausible(field)]));
		const base = Object.fromEntries(operation.required.map((name) => [name, good[name]]));
		for (const { name } of operation.fields) {
			for (const value of wrong) await attempt(operation, { body: { ...base, [name]: value } });
			// what JSON.stringify does not write
			const rest = JSON.stringify({ ...base, [name]: undefined }).slice(1, -1);
			for (const text of ['1e400', '-0', '9223372036854775808', '1'.repeat(2000), '"\\u0000"', '"\\ud800"', '"a\\u0000b"', `${'['.repeat(1000)}${']'.repeat(1000)}`, `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`, '{"a":1,"a":2}'])
				await attempt(operation, { text: `{${rest}${rest ? ',' : ''}${JSON.stringify(name)}:${text}}` });
			refused(await attempt(operation, { text: `{"${name}":null,"${name}":null}` }), `${operation.path} ${name} twice`);
		}
	}
});

test('bodies: of another shape', async () => {
	const texts = ['', ' ', '{', '}', '[]', 'null', '1', '"x"', '{"a"}', '{"a":}', '{"":1}', '{a:1}', `${'['.repeat(1000)}`, '{"actor_id":"1"}', '{"session_id":"1"}', '{"client_address":"::1"}', '{"user_agent":"x"}', '{"unknown":1}', '{"__proto__":1}', '\ufeff{}', '{"text":"\u0001"}'];
	for (const operation of operations) {
		if (operation.method === 'GET' || ends(operation)) continue;
		for (const text of texts) {
			if (text === '' && operation.method === 'DELETE') continue; // fetch of Node.js 18 cannot send that
			const answer = await attempt(operation, { text });
			if (text.trim() !== '') refused(answer, `${operation.method} ${operation.path} ${text.slice(0, 20)}`);
		}
		refused(await attempt(operation, { text: '{}', headers: { 'content-type': 'text/plain' } }), 'not JSON');
	}
});

test('queries: every wrong value for every parameter', async () => {
	const wrong = ['', '%00', '%ff', '%', '%zz', '-1', '0', '1.5', '1e400', '9223372036854775808', 'x'.repeat(5000), '%27%3B--', 'null', '%F0%9F%98%80', '[]', ' '.replace(' ', '+'), '%0a', '../..'];
	for (const operation of operations) {
		if (ends(operation) || operation.path === '/health') continue; // the gateway's own
		for (const { name, many } of operation.query) {
			for (const value of wrong) await attempt(operation, {}, `${url(operation)}?${name}=${value}`);
			if (!many) refused(await attempt(operation, {}, `${url(operation)}?${name}=1&${name}=1`), `${operation.path} ${name} twice`);
		}
		for (const query of ['actor_id=1', 'unknown=1', '%00=1', '%ff=1', '=', '=1', 'session_id=1', 'client_address=1.2.3.4']) {
			const answer = await attempt(operation, {}, `${url(operation)}?${query}`);
			if (query !== '=') refused(answer, `${operation.method} ${operation.path}?${query}`);
		}
	}
});

test('paths: every wrong value for every parameter', async () => {
	const wrong = ['0', '-1', '1', '9223372036854775807', '9223372036854775808', '99999999999999999999999999', '1e3', '1.5', '%31', '@', '@@', '@nobody_at_all', '@%00', '%00', '%ff', '%', '%2f', 'a%2fb', 'x'.repeat(3000), '%27%20OR%201=1', '%F0%9F%98%80', 'null', '%0d%0aX-Bad:%201', '%20', '+1', '*'];
	for (const operation of operations) {
		if (ends(operation)) continue;
		for (const [, name] of operation.path.matchAll(/\{(\w+)\}/g))
			for (const value of wrong) {
				const answer = await attempt(operation, {}, url(operation, { [name]: value }));
				assert.equal(answer.headers.get('x-bad'), null);
			}
	}
});

test('paths and methods that are not there', async () => {
	for (const operation of operations) {
		const path = url(operation);
		for (const other of [`${path}/`, `/${path}`, `${path}/x/y/z`, path.toUpperCase(), `${path}%00`, `${path};a=b`, `/api/v1/api/v1${path}`, `/api/v2${path}`]) {
			if (other === path) continue;
			const answer = answers(await raw(gateway, `${operation.method} ${other} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`))[0];
			assert.ok(answer.status >= 400 && answer.status < 500, `${operation.method} ${other}: ${answer.status}`);
		}
		for (const dots of [`/x/..${path}`, `/.${path}`, `/x/%2e%2e${path}`, `${path}/..`, `${path}/%2e%2e/x`, url(operation, { post_id: '..', account_id: '%2e%2e', id: '.', username: '..', hashtag: '..' })]) {
			if (dots === path) continue;
			const answer = answers(await raw(gateway, `${operation.method} ${dots} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`))[0];
			assert.ok(answer.status >= 400 && answer.status < 500, `${operation.method} ${dots}: ${answer.status}`);
		}
	}
	const methods = new Map();
	for (const { method, path } of operations) methods.set(path, [...(methods.get(path) ?? []), method]);
	for (const [path, known] of methods) {
		for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'TRACE', 'PROPFIND']) {
			if (known.includes(method)) continue;
			const answer = answers(await raw(gateway, `${method} ${url({ path })} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`))[0];
			assert.ok([404, 405, 501, 401, 422].includes(answer.status), `${method} ${path}: ${answer.status}`);
		}
	}
});

test('the input got as far as it should', () => {
	for (const status of [200, 400, 404, 422]) assert.ok(seen.get(status) > 50, `${status}: ${JSON.stringify([...seen])}`);
	// wrong passwords lock alice out of proving hers; no other limit is in the way
	for (const status of [401, 429]) assert.ok((seen.get(status) ?? 0) < seen.get(422) / 4, `${status}: ${JSON.stringify([...seen])}`);
});

test('nothing of it was done', () => {
	assert.equal(sql(`SELECT count(*) FROM roost_data.post WHERE id = ${values.post_id} AND text = 'Hit me #matrix'`), '1');
	assert.equal(sql(`SELECT status FROM roost_data.account WHERE id = ${bob.id}`), 'active');
	assert.equal(sql(`SELECT count(*) FROM roost_data.session WHERE account_id = ${bob.id} AND revoked_at IS NULL`), '1');
	assert.equal(sql(`SELECT count(*) FROM roost_data.post WHERE author_id = ${bob.id}`), '1', 'nobody wrote as another');
});
