// The audit trail over HTTP: who did what stands there, and only those read it
// who may.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { account, call, liftLimits, sql, startGateway, until } from './lib.mjs';

let gateway;
let ada; // an admin
let bob;
const as = (user, method, path, body, headers) => call(gateway, method, path, { token: user?.token, body, headers });
// until all that is committed is in the chain
const seal = () => until(() => sql('SELECT roost.worker_sync() AND NOT EXISTS (SELECT FROM roost_data.audit_entry)') === 't', 'the end of sealing');

before(async () => {
	liftLimits();
	gateway = await startGateway();
	[ada, bob] = await Promise.all(['adt_ada', 'adt_bob'].map((name) => account(gateway, name)));
	sql(`UPDATE roost_data.account SET role = 'admin' WHERE id = ${ada.id}`);
	await seal();
});
after(() => gateway.stop());

test('only those read who may', async () => {
	for (const [method, path] of [['GET', '/admin/audit'], ['POST', '/admin/audit/verify'], ['GET', '/admin/audit/head']]) {
		const body = method === 'POST' ? {} : undefined;
		assert.equal((await as(bob, method, path, body)).status, 403, path);
		assert.equal((await as(null, method, path, body)).status, 401, path);
		assert.equal((await as(ada, method, path, body)).status, 200, path);
	}
	assert.equal((await as(null, 'GET', '/me/security-events')).status, 401);
});

test('an entry says who acted, by what', async () => {
	assert.equal((await as(bob, 'POST', '/auth/logout')).status, 204);
	await seal();
	const page = await as(ada, 'GET', `/admin/audit?actor=${bob.id}&action=session.update&limit=1`);
	assert.equal(page.status, 200, page.text);
	const [entry] = page.json.items;
	assert.equal(entry.actor_id, bob.id);
	assert.equal(entry.actor_username, bob.username);
	assert.equal(entry.account_id, bob.id);
	assert.equal(entry.source, 'http');
	assert.equal(entry.cause, 'roost.auth_logout');
	assert.equal(entry.session_role, 'roost_gateway');
	assert.equal(entry.address, null);
	assert.equal(entry.request_id, null);
	assert.match(entry.hash, /^[0-9a-f]{64}$/);
});

test('pages follow one another', async () => {
	const seen = [];
	let next = '';
	do {
		const page = await as(ada, 'GET', `/admin/audit?account=${bob.id}&limit=2${next && `&before=${next}`}`);
		assert.equal(page.status, 200, page.text);
		assert.ok(page.json.items.length <= 2);
		seen.push(...page.json.items.map((item) => item.seq));
		next = page.json.next;
	} while (next);
	assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => b - a));
	assert.equal(String(seen.length), sql(`SELECT count(*) FROM roost_data.audit WHERE account_id = ${bob.id}`));
});

test('the chain is verified, also against a head', async () => {
	const head = await as(ada, 'GET', '/admin/audit/head');
	const report = await as(ada, 'POST', '/admin/audit/verify', { expected_seq: head.json.seq, expected_hash: head.json.hash });
	assert.equal(report.status, 200, report.text);
	assert.equal(report.json.ok, true, report.text);
	const other = await as(ada, 'POST', '/admin/audit/verify', { expected_seq: head.json.seq, expected_hash: '00' });
	assert.equal(other.json.ok, false);
	assert.equal(other.json.bad_seq, head.json.seq);
	assert.equal((await as(ada, 'POST', '/admin/audit/verify', { from_seq: 'x' })).status, 422);
});

test('filters take what is odd, and refuse what is wrong', async () => {
	assert.deepEqual((await as(ada, 'GET', `/admin/audit?object_id=${encodeURIComponent("' OR 1=1 --")}`)).json.items, []);
	assert.equal((await as(ada, 'GET', '/admin/audit?since=2100-01-01T00:00:00Z')).json.items.length, 0);
	for (const query of ['since=soon', 'actor=x', 'limit=0', 'limit=100000', 'before=-', 'password=1'])
		assert.equal((await as(ada, 'GET', `/admin/audit?${query}`)).status, 422, query);
});

test('an account sees its own security events, and nobody else\'s', async () => {
	assert.equal((await as(null, 'POST', '/auth/login', { identifier: ada.username, password: 'wrong wrong wrong' })).status, 401);
	sql(`UPDATE roost_data.account SET limited_at = now() WHERE id = ${ada.id}`);
	let events;
	await until(async () => {
		await seal();
		events = (await as(ada, 'GET', '/me/security-events')).json.items;
		return events.some((event) => event.kind === 'login_failed');
	}, 'the failed login', undefined, () => events);
	assert.deepEqual(events.map((event) => event.kind).sort(), ['login', 'login_failed', 'registered', 'role_changed']);
	const login = events.find((event) => event.kind === 'login');
	assert.equal(login.by, 'self');
	assert.match(login.session_id, /^\d+$/);
	assert.deepEqual(events.find((event) => event.kind === 'role_changed').detail, { new: 'admin', old: 'user' });
	assert.ok(events.find((event) => event.kind === 'login_failed').detail.count >= 1);
	assert.doesNotMatch(JSON.stringify(events), /limited|127\.0\.0\.1/);
});
