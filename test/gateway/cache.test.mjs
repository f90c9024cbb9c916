// The cache: what is kept, how it ends, who never gets it, and Redis behind it.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import http2 from 'node:http2';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { account, answers, binary, call, databaseUrl, folder, freePort, hold, liftLimits, metric, raw, sql, startGateway, testRoutes, until, waiting } from './lib.mjs';

let gateway;
let ann;
let bob;

// A request without any credential; the answer with its headers.
async function get(path, { from = gateway, headers = {}, method = 'GET' } = {}) {
	const answer = await fetch(`${from.url}${path}`, { method, headers: { 'accept-encoding': 'identity', ...headers } });
	const text = await answer.text();
	return { status: answer.status, cache: answer.headers.get('x-cache'), age: answer.headers.get('age'), headers: answer.headers, text, json: text && /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : null };
}

// The same, again when the gateway could not say at that moment what has changed: it goes round the cache when it has not
// heard of the log for some seconds, as on a machine that has other things to do.
const asked = (path, options) => until(async () => {
	const answer = await get(path, options);
	return answer.cache !== 'BYPASS' && answer;
}, `an answer to ${path} that has to do with the cache`);

const write = (who, method, path, body) => call(gateway, method, path, { token: who.token, body });

async function post(who, text, more = {}) {
	const answer = await write(who, 'POST', '/tweets', { text, ...more });
	assert.equal(answer.status, 201, answer.text);
	return answer.json.id;
}

// Asks until the answer comes from the cache.
const kept = (path, options) => until(async () => {
	const answer = await get(path, options);
	return answer.cache === 'HIT' && answer;
}, `a kept answer to ${path}`);

// Asks until an answer is as wanted.
const eventually = (path, wanted, options) => until(async () => {
	const answer = await get(path, options);
	return wanted(answer) && answer;
}, `the change of ${path}`);

// Every gateway has to know the log first.
const follows = (from) => until(async () => (await get('/errors', { from })).cache !== 'BYPASS', 'the log of events');

before(async () => {
	liftLimits();
	testRoutes();
	sql(`
		SET client_min_messages = warning;
		CREATE SEQUENCE gateway_test.asked;
		CREATE FUNCTION gateway_test.kept(name text, wait integer DEFAULT NULL, size integer DEFAULT 0, fail boolean DEFAULT false, header text DEFAULT NULL) RETURNS jsonb
		LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $$
		BEGIN
			IF wait IS NOT NULL THEN PERFORM pg_advisory_xact_lock_shared(wait); END IF;
			IF header IS NOT NULL THEN PERFORM roost.response_header(split_part(header, ':', 1), split_part(header, ':', 2)); END IF;
			IF fail THEN RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'as asked for'; END IF;
			RETURN jsonb_build_object('name', name, 'asked', nextval('gateway_test.asked'), 'agent', roost.request_header('user-agent'),
				'language', roost.request_header('accept-language'), 'filling', repeat('x', size));
		END $$;
		SELECT roost_internal.route('GET', '/test/kept/:name', 'gateway_test.kept', auth => 'none', lane => 'slow', cache => 'ids');
		SELECT roost_internal.route('GET', '/test/listed/:name', 'gateway_test.kept', auth => 'none', lane => 'fast', cache => 'list');
		SELECT roost_internal.route('GET', '/test/timed/:name', 'gateway_test.kept', auth => 'none', lane => 'fast', cache => 'time');
	`);
	gateway = await startGateway();
	ann = await account(gateway, 'ann');
	bob = await account(gateway, 'bob');
	await post(ann, 'the first of all');
	await follows(gateway);
});
after(() => gateway?.stop());

test('the second request is answered from the cache, with all that an answer has', async () => {
	const id = await post(ann, 'to be kept');
	const first = await asked(`/tweets/${id}`);
	assert.equal(first.cache, 'MISS');
	const second = await kept(`/tweets/${id}`);
	assert.equal(second.text, first.text);
	assert.match(second.age, /^\d+$/);
	for (const name of ['etag', 'content-type', 'cache-control', 'x-content-type-options', 'content-security-policy']) assert.equal(second.headers.get(name), first.headers.get(name), name);
	assert.equal(second.headers.get('cache-control'), 'no-cache');
	assert.notEqual(second.headers.get('x-request-id'), first.headers.get('x-request-id'));
	assert.equal(second.headers.get('ratelimit-limit'), null);
});
test('HEAD, If-None-Match and both forms of a query are answered from the same entry', async () => {
	await kept('/test/kept/heads?size=10');
	const full = await kept('/test/kept/heads?size=2000');
	const head = await asked('/test/kept/heads?size=2000', { method: 'HEAD' });
	assert.deepEqual([head.status, head.cache, head.text], [200, 'HIT', '']);
	assert.equal(Number(head.headers.get('content-length')), Buffer.byteLength(full.text));
	for (const known of [full.headers.get('etag'), full.headers.get('etag').slice(2), '*', `"other", ${full.headers.get('etag')}`]) {
		const same = await asked('/test/kept/heads?size=2000', { headers: { 'if-none-match': known } });
		assert.deepEqual([same.status, same.cache, same.text], [304, 'HIT', ''], known);
		assert.equal(same.headers.get('content-type'), null);
		assert.equal(same.headers.get('etag'), full.headers.get('etag'));
	}
	assert.equal((await get('/test/kept/heads?size=2000', { headers: { 'if-none-match': '"other"' } })).status, 200);
	await kept('/test/kept/order?fail=false&size=3');
	assert.equal((await asked('/test/kept/order?size=3&fail=false')).cache, 'HIT');
	assert.equal((await asked('/test/kept/order?&size=3&&fail=false&')).cache, 'HIT');
	assert.equal((await asked('/test/kept/order?size=4&fail=false')).cache, 'MISS');
	// the first one who asks may have the answer, too
	const fresh = await asked('/test/kept/first', { headers: { 'if-none-match': '*' } });
	assert.deepEqual([fresh.status, fresh.cache], [304, 'MISS']);
	await kept('/test/kept/first');
});
test('a like shows soon, and until then one question is enough', async () => {
	const id = await post(ann, 'to be liked');
	await kept(`/tweets/${id}`);
	await write(bob, 'POST', `/tweets/${id}/like`);
	const liked = await eventually(`/tweets/${id}`, (answer) => answer.json.like_count === 1);
	assert.equal(liked.status, 200);
	await kept(`/tweets/${id}`);
	await kept(`/tweets/${id}/likes`);
	await write(bob, 'DELETE', `/tweets/${id}/like`);
	await eventually(`/tweets/${id}/likes`, (answer) => answer.json.items.length === 0);
	await eventually(`/tweets/${id}`, (answer) => answer.json.like_count === 0);
});
test('what is edited, deleted or hidden is gone from every page', async () => {
	const carl = await account(gateway, 'carl');
	const id = await post(carl, 'the first words #kept');
	const reply = await post(bob, 'a reply', { reply_to_id: id });
	const pages = [`/tweets/${id}`, `/users/${carl.id}/tweets`, '/tweets/public', '/tweets', '/hashtags/kept/tweets', `/tweets/${reply}/context`];
	const shows = (text) => (answer) => answer.status === 200 && answer.text.includes(text);
	for (const page of pages) await eventually(page, (answer) => answer.cache === 'HIT' && shows('the first words')(answer));
	await write(carl, 'PATCH', `/tweets/${id}`, { text: 'the second words #kept' });
	for (const page of pages) await eventually(page, (answer) => shows('the second words')(answer) && !answer.text.includes('the first words'));
	// seen once, it stays so
	for (const page of pages) assert.doesNotMatch((await get(page)).text, /the first words/);
	for (const page of pages) await kept(page);
	await write(carl, 'PATCH', '/users/me', { is_private: true });
	for (const page of pages) await eventually(page, (answer) => !answer.text.includes('the second words'));
	await write(carl, 'PATCH', '/users/me', { is_private: false });
	for (const page of pages) await eventually(page, (answer) => answer.cache === 'HIT' && shows('the second words')(answer));
	await write(carl, 'DELETE', `/tweets/${id}`);
	for (const page of pages) await eventually(page, (answer) => !answer.text.includes('the second words'));
	assert.equal((await get(`/tweets/${id}`)).status, 404);
});
test('a suspended account disappears, and comes back', async () => {
	const dora = await account(gateway, 'dora');
	const id = await post(dora, 'words of dora');
	const pages = [`/users/${dora.id}`, `/users/by-username/${dora.username}`, `/tweets/${id}`, '/tweets/public'];
	for (const page of pages) await eventually(page, (answer) => answer.cache === 'HIT' && answer.text.includes(dora.id));
	sql(`UPDATE roost_data.account SET status = 'suspended' WHERE id = ${dora.id}`);
	for (const page of pages) await eventually(page, (answer) => answer.status !== 200 || !answer.text.includes(dora.id));
	sql(`UPDATE roost_data.account SET status = 'active' WHERE id = ${dora.id}`);
	for (const page of pages) await eventually(page, (answer) => answer.status === 200 && answer.text.includes(dora.username));
});
test('a post that is limited, held or removed, and one of a limited account, leave the pages that strangers get', async () => {
	const finn = await account(gateway, 'finn');
	const id = await post(finn, 'words of finn #stated');
	const listed = ['/tweets/public', '/tweets', '/hashtags/stated/tweets'];
	const found = [`/tweets/${id}`, `/users/${finn.id}/tweets`];
	const shows = (answer) => answer.status === 200 && answer.text.includes('words of finn');
	const everywhere = async () => {
		for (const page of [...listed, ...found]) await eventually(page, (answer) => answer.cache === 'HIT' && shows(answer));
	};
	const state = (value) => sql(`UPDATE roost_data.post SET state = '${value}' WHERE id = ${id}`);
	await everywhere();
	state('limited');
	for (const page of listed) await eventually(page, (answer) => !answer.text.includes('words of finn'));
	for (const page of found) assert.match((await get(page)).text, /words of finn.*"state":"visible"/);
	for (const value of ['held', 'removed']) {
		state('visible');
		await everywhere();
		state(value);
		for (const page of [...listed, ...found]) await eventually(page, (answer) => !answer.text.includes('words of finn'));
	}
	state('visible');
	await everywhere();
	sql(`UPDATE roost_data.post SET labels = '{sensitive}' WHERE id = ${id}`);
	for (const page of [...listed, ...found]) await eventually(page, (answer) => answer.text.includes('"labels":["sensitive"]'));
	sql(`UPDATE roost_data.account SET limited_at = now() WHERE id = ${finn.id}`);
	for (const page of [...listed, ...found]) await eventually(page, (answer) => !answer.text.includes('words of finn'));
	sql(`UPDATE roost_data.account SET limited_at = NULL WHERE id = ${finn.id}`);
	await everywhere();
});
test('profiles and lists of people follow', async () => {
	const emil = await account(gateway, 'emil');
	for (const page of [`/users/${emil.id}`, `/users/by-username/${emil.username}`, `/users/${emil.id}/followers`]) await kept(page);
	await write(bob, 'POST', `/users/${emil.id}/follow`);
	await eventually(`/users/${emil.id}`, (answer) => answer.json.follower_count === 1);
	await eventually(`/users/${emil.id}/followers`, (answer) => answer.text.includes(bob.id));
	await kept(`/users/${emil.id}`);
	await write(emil, 'PATCH', '/users/me', { bio: 'another life' });
	await eventually(`/users/${emil.id}`, (answer) => answer.json.bio === 'another life');
	await eventually(`/users/by-username/${emil.username}`, (answer) => answer.json.bio === 'another life');
	await kept(`/users/by-username/${emil.username}`);
	await write(emil, 'PATCH', '/users/me', { display_name: 'Emil the Second' });
	await eventually(`/users/by-username/${emil.username}`, (answer) => answer.json.display_name === 'Emil the Second');
	await eventually(`/users/${emil.id}/tweets`, (answer) => answer.cache === 'HIT');
	const id = await post(emil, 'new on the list');
	await eventually(`/users/${emil.id}/tweets`, (answer) => answer.text.includes(id));
	await kept(`/users/${emil.id}/pinned`);
	await write(emil, 'POST', `/tweets/${id}/pin`);
	await eventually(`/users/${emil.id}/pinned`, (answer) => answer.text.includes(id));
});
test('counts go down again when what they count is deleted', async () => {
	const id = await post(ann, 'to be answered');
	const acts = { reply_count: { text: 'yes', reply_to_id: id } };
	for (const [count, body] of Object.entries(acts)) {
		const made = await write(bob, 'POST', '/tweets', body);
		assert.equal(made.status, 201, made.text);
		await eventually(`/tweets/${id}`, (answer) => answer.json[count] === 1 && answer.cache === 'HIT');
		await write(bob, 'DELETE', `/tweets/${made.json.id}`);
		await eventually(`/tweets/${id}`, (answer) => answer.json[count] === 0);
	}
});
test('whoever sends a credential is never answered from the cache', async () => {
	const id = await post(ann, 'for everybody');
	await kept(`/tweets/${id}`);
	for (const headers of [{ authorization: `Bearer ${bob.token}` }, { cookie: `roost_access=${bob.token}` }, { 'roost-position': '1/0/0' }, { cookie: 'a=b; roost_refresh=x' }]) {
		const answer = await get(`/tweets/${id}`, { headers });
		assert.equal(answer.cache, 'BYPASS', JSON.stringify(headers));
	}
	assert.equal((await get(`/tweets/${id}`, { headers: { authorization: 'Bearer nonsense' } })).status, 401);
	// what they have written they see at once
	for (let i = 0; i < 20; i++) {
		await write(bob, i % 2 ? 'DELETE' : 'POST', `/tweets/${id}/like`);
		assert.equal((await write(bob, 'GET', `/tweets/${id}`)).json.liked, i % 2 === 0);
	}
	// other cookies are nobody's business
	await kept(`/tweets/${id}`, { headers: { cookie: 'theme=dark' } });
	assert.equal((await get(`/users/@${ann.username}`)).cache, 'BYPASS', 'changes of a name are not known');
	assert.equal((await get('/health')).cache, null);
	assert.equal((await get('/tweets/home')).cache, null);
});
test('nothing of a client but its host can be in a kept answer', async () => {
	const headers = { 'user-agent': 'a spy', 'accept-language': 'tlh' };
	const answer = await asked('/test/kept/private', { headers });
	assert.deepEqual([answer.cache, answer.json.agent, answer.json.language], ['MISS', null, null]);
	const list = await raw(gateway, `GET /tweets?limit=1 HTTP/1.1\r\nHost: one.example\r\nConnection: close\r\n\r\n`);
	assert.match(list, /link: <http:\/\/one\.example/i);
	const other = await raw(gateway, `GET /tweets?limit=1 HTTP/1.1\r\nHost: two.example\r\nConnection: close\r\n\r\n`);
	assert.match(other, /link: <http:\/\/two\.example/i);
});
test('what must not be kept is not', async () => {
	for (const query of ['fail=true', 'header=Set-Cookie:a%3Db', 'header=Cache-Control:private', 'header=Cache-Control:no-store', 'header=Vary:User-Agent']) {
		const path = `/test/kept/not?${query}`;
		const first = await asked(path);
		const second = await asked(path);
		assert.deepEqual([first.cache, second.cache], ['MISS', 'MISS'], query);
	}
	assert.equal((await get('/test/kept/not?unknown=1')).status, 422);
	assert.equal((await get('/test/kept/token?name=access_token')).cache, 'BYPASS');
	assert.equal((await get(`/test/kept/${'long'.repeat(600)}`)).cache, 'BYPASS');
	assert.equal((await kept('/test/kept/vary?header=Vary:Accept-Encoding')).status, 200);
});
test('one question is asked for all who want the same', async () => {
	const held = await hold(7001);
	const misses = await metric(gateway, 'roost_gateway_cache_misses_total');
	const asking = Array.from({ length: 40 }, () => get('/test/kept/together?wait=7001'));
	await until(() => waiting(7001) === 1, 'the question');
	const gone = net.connect(gateway.port, '127.0.0.1');
	gone.write(`GET /test/kept/together?wait=7001 HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n\r\n`);
	await until(async () => (await metric(gateway, 'roost_gateway_cache_misses_total')) >= misses + 41, 'all of them');
	gone.destroy();
	const questions = waiting(7001);
	await held.release();
	assert.equal(questions, 1);
	const all = await Promise.all(asking);
	assert.equal(new Set(all.map((answer) => answer.text)).size, 1);
	assert.equal(all.filter((answer) => answer.cache === 'MISS').length, 1);
	assert.ok(all.every((answer) => answer.status === 200));
});
test('when the question fails, everybody asks for themselves', async () => {
	const held = await hold(7002);
	const asking = Array.from({ length: 5 }, () => get('/test/kept/failing?wait=7002&fail=true'));
	await until(() => waiting(7002) === 1, 'the question');
	await until(async () => (await get('/test/kept/failing?fail=true')).status === 422, 'another question');
	await held.release();
	for (const answer of await Promise.all(asking)) assert.deepEqual([answer.status, answer.json.detail], [422, 'as asked for']);
});
test('compressed and plain answers come from one entry', async () => {
	await kept('/test/kept/packed?size=50000');
	const packed = await until(async () => {
		const text = await raw(gateway, 'GET /test/kept/packed?size=50000 HTTP/1.1\r\nHost: ' + `127.0.0.1:${gateway.port}` + '\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n');
		return /content-encoding: gzip/.test(text) && text;
	}, 'a compressed answer');
	assert.match(packed, /x-cache: HIT/);
	assert.match(packed, /vary: Accept-Encoding/);
	const body = Buffer.from(packed.slice(packed.indexOf('\r\n\r\n') + 4), 'latin1');
	assert.ok(body.length < 5000);
	assert.equal(gunzipSync(body).toString(), (await get('/test/kept/packed?size=50000')).text);
});
test('a long answer to a slow reader, and one over HTTP/2, stay whole while they are replaced', async () => {
	const big = await startGateway({ 'cache-size': '2000MB', 'body-limit': '2MB' });
	await follows(big);
	const path = '/test/timed/big?size=9000000';
	const expected = (await kept(path, { from: big })).text;
	const socket = net.connect(big.port, '127.0.0.1').pause();
	socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${big.port}\r\nConnection: close\r\n\r\n`);
	const session = http2.connect(big.url);
	const stream = session.request({ ':path': path, ':authority': `127.0.0.1:${big.port}` });
	stream.pause();
	const parts = [];
	stream.on('data', (part) => parts.push(part));
	stream.pause();
	const [head] = await once(stream, 'response');
	assert.equal(head['x-cache'], 'HIT');
	await until(async () => (await metric(big, 'roost_gateway_cache_hits_total')) >= 3, 'both answers');
	big.child.kill('SIGHUP'); // drops all that is kept
	await until(async () => (await metric(big, 'roost_gateway_cache_entries')) === 0, 'an empty cache');
	let received = '';
	socket.setEncoding('latin1');
	socket.on('data', (part) => { received += part; });
	socket.resume();
	stream.resume();
	await Promise.all([once(socket, 'close'), once(stream, 'end')]);
	assert.equal(answers(received)[0].body, expected);
	assert.equal(Buffer.concat(parts).toString(), expected);
	session.close();
	await big.stop();
});
test('memory is bounded, and what is not used goes first', async () => {
	const small = await startGateway({ 'cache-size': '200kB' });
	await follows(small);
	for (let i = 0; i < 200; i++) {
		await get(`/test/listed/many${i}?size=2000`, { from: small });
		assert.equal((await get('/test/listed/favourite?size=2000', { from: small })).status, 200);
	}
	assert.equal((await asked('/test/listed/favourite?size=2000', { from: small })).cache, 'HIT');
	assert.equal((await asked('/test/listed/many0?size=2000', { from: small })).cache, 'MISS');
	await until(async () => (await metric(small, 'roost_gateway_cache_evicted_total')) > 50, 'evictions');
	assert.ok((await metric(small, 'roost_gateway_cache_bytes')) <= 200 * 1024);
	await get('/test/listed/large?size=20000', { from: small });
	assert.equal((await asked('/test/listed/large?size=20000', { from: small })).cache, 'MISS', 'larger than a 64th');
	await small.stop();
	const none = await startGateway({ 'cache-size': '0' });
	for (let i = 0; i < 3; i++) assert.equal((await get('/tweets/public', { from: none })).cache, null);
	await none.stop();
});
test('what is kept by time ends by time, and when what it shows is hidden', async () => {
	const id = await post(ann, 'a trend');
	sql(`
		CREATE OR REPLACE FUNCTION gateway_test.trend() RETURNS jsonb LANGUAGE sql VOLATILE SECURITY DEFINER AS
			$$ SELECT jsonb_build_object('asked', nextval('gateway_test.asked'), 'items', jsonb_build_array(jsonb_build_object('id', '${id}'))) $$;
		SELECT roost_internal.route('GET', '/test/trend', 'gateway_test.trend', auth => 'none', cache => 'time');
	`);
	const quick = await startGateway({ 'cache-ttl': '1s', 'cache-stale': '0' });
	await follows(quick);
	const earlier = (await get('/test/trend', { from: quick })).json.asked;
	await eventually('/test/trend', (answer) => answer.json.asked > earlier, { from: quick });
	await quick.stop();
	gateway.child.kill('SIGHUP');
	const first = await eventually('/test/trend', (answer) => answer.cache === 'HIT');
	await write(bob, 'POST', `/tweets/${id}/like`);
	await eventually(`/tweets/${id}`, (answer) => answer.json.like_count === 1);
	assert.equal((await get('/test/trend')).json.asked, first.json.asked, 'a counter changes nothing');
	await write(ann, 'DELETE', `/tweets/${id}`);
	await eventually('/test/trend', (answer) => answer.json.asked > first.json.asked);
});
test('a function that is replaced, and a route, are asked anew', async () => {
	sql(`
		CREATE FUNCTION gateway_test.version() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'one' $$;
		SELECT roost_internal.route('GET', '/test/version', 'gateway_test.version', auth => 'none', cache => 'ids');
	`);
	await eventually('/test/version', (answer) => answer.cache === 'HIT' && answer.json === 'one');
	sql(`CREATE OR REPLACE FUNCTION gateway_test.version() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'two' $$`);
	await eventually('/test/version', (answer) => answer.json === 'two');
});
test('when the log has lost something, everything is asked anew', async () => {
	await kept('/test/kept/lost');
	const first = (await get('/test/kept/lost')).json.asked;
	// rows that no trigger has seen
	sql(`SET session_replication_role = replica; UPDATE roost_data.account SET display_name = 'unseen' WHERE id = ${ann.id}; SET session_replication_role = DEFAULT;
		TRUNCATE roost_data.post_like;`);
	await eventually('/test/kept/lost', (answer) => answer.json.asked > first);
	await eventually(`/users/${ann.id}`, (answer) => answer.json.display_name === 'unseen');
});

// A TCP proxy to the database that can be cut.
async function proxy() {
	const sockets = new Set();
	const port = Number(process.env.PGPORT);
	const path = process.env.PGHOST.startsWith('/') ? join(process.env.PGHOST, `.s.PGSQL.${port}`) : null;
	const server = net.createServer((client) => {
		const upstream = path ? net.connect(path) : net.connect(port, process.env.PGHOST);
		for (const socket of [client, upstream]) {
			sockets.add(socket);
			socket.on('error', () => {});
			socket.on('close', () => { sockets.delete(socket); client.destroy(); upstream.destroy(); });
		}
		client.pipe(upstream).pipe(client);
	});
	const proxyPort = await freePort(); // which no outgoing connection has when it is mended
	server.listen(proxyPort, '127.0.0.1');
	await once(server, 'listening');
	return {
		url: databaseUrl.replace(/host=\S+/, 'host=127.0.0.1').replace(/port=\d+/, `port=${proxyPort}`),
		async cut() { server.close(); for (const socket of sockets) socket.destroy(); await once(server, 'close').catch(() => {}); },
		async mend() { server.listen(proxyPort, '127.0.0.1'); await once(server, 'listening'); },
	};
}

test('without the database nothing old is served, unless that is wanted', async () => {
	const line = await proxy();
	const strict = await startGateway({ 'database-url': line.url });
	const lax = await startGateway({ 'database-url': line.url, 'cache-offline': '10min' });
	const id = await post(ann, 'seen before the end');
	const other = await post(ann, 'and this');
	for (const from of [strict, lax]) {
		await follows(from);
		await kept(`/tweets/${id}`, { from });
		await kept(`/tweets/${other}`, { from });
	}
	await line.cut();
	await eventually(`/tweets/${id}`, (answer) => answer.status === 503, { from: strict });
	await eventually(`/tweets/${id}`, (answer) => answer.cache === 'STALE', { from: lax });
	assert.equal((await get(`/tweets/${id}`, { from: strict })).status, 503);
	assert.equal((await get('/tweets/9', { from: lax })).status, 503);
	await write(ann, 'DELETE', `/tweets/${id}`);
	await line.mend();
	for (const from of [strict, lax]) {
		await eventually(`/tweets/${id}`, (answer) => answer.status === 404, { from });
		for (let i = 0; i < 10; i++) assert.equal((await get(`/tweets/${id}`, { from })).status, 404);
		await kept(`/tweets/${other}`, { from });
		await from.stop();
	}
	await line.cut();
});
test('the log goes on while the gateway cannot read it: nothing of before is served after', async () => {
	const line = await proxy();
	const from = await startGateway({ 'database-url': line.url });
	await follows(from);
	const ids = [];
	for (let i = 0; i < 10; i++) ids.push(await post(ann, `number ${i}`));
	for (const id of ids) await kept(`/tweets/${id}`, { from });
	for (let round = 0; round < 3; round++) {
		await line.cut();
		for (const id of ids) await write(ann, 'PATCH', `/tweets/${id}`, { text: `round ${round}` });
		await line.mend();
		// the first answer that is one is the right one
		for (const id of ids) {
			const answer = await eventually(`/tweets/${id}`, (found) => found.status === 200 && found.cache !== 'BYPASS' && found.text.includes(`round ${round}`), { from });
			assert.equal(answer.json.text, `round ${round}`);
			assert.equal((await get(`/tweets/${id}`, { from })).json?.text ?? `round ${round}`, `round ${round}`);
		}
	}
	await from.stop();
	await line.cut();
});

// Redis

const redisProgram = spawnSync('redis-server', ['--version']).status === 0;
const needsRedis = { skip: redisProgram ? false : 'redis-server is not installed' };

// Starts a Redis of our own, in memory only.
async function startRedis({ port, password } = {}) {
	port ??= await freePort();
	const child = spawn('redis-server', ['-'], { stdio: ['pipe', 'ignore', 'inherit'] });
	child.stdin.end(`port ${port}\nbind 127.0.0.1\nsave ""\nappendonly no\ndir ${folder}\ndaemonize no\n${password ? `requirepass ${password}\n` : ''}`);
	const exited = once(child, 'exit');
	const ask = (...words) => new Promise((resolve, reject) => {
		const socket = net.connect(port, '127.0.0.1');
		const parts = [];
		const send = (list) => Buffer.concat([Buffer.from(`*${list.length}\r\n`), ...list.flatMap((word) => [Buffer.from(`$${Buffer.byteLength(word)}\r\n`), Buffer.from(word), Buffer.from('\r\n')])]);
		if (password) socket.write(send(['AUTH', password]));
		socket.write(send(words));
		socket.write(send(['QUIT']));
		socket.on('data', (data) => parts.push(data));
		socket.on('error', reject);
		socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
	});
	await until(async () => (await ask('PING').catch(() => '')).includes('PONG'), 'Redis');
	return {
		port, ask, pid: child.pid, url: `redis://127.0.0.1:${port}/0`,
		keys: async () => (await ask('KEYS', '*')).split('\r\n').filter((line) => line.includes('cache:')),
		async stop() { child.kill('SIGKILL'); await exited; },
		// Waits for the answer to a path and returns its name.
		holds(path) {
			return until(async () => {
				for (const name of await this.keys()) if ((await ask('GET', name)).includes(path)) return name;
			}, `the answer to ${path} in Redis`);
		},
	};
}

const redisUp = (from) => until(async () => (await metric(from, 'roost_gateway_redis_connected')) === 1, 'Redis');

test('two gateways share what one of them has asked', needsRedis, async () => {
	const redis = await startRedis();
	const pair = await Promise.all([startGateway({ 'redis-url': redis.url }), startGateway({ 'redis-url': redis.url })]);
	for (const from of pair) {
		await redisUp(from);
		await follows(from);
	}
	const ask = (from, path) => raw(from, `GET ${path} HTTP/1.1\r\nHost: shared.example\r\nConnection: close\r\n\r\n`).then((text) => {
		const [answer] = answers(text);
		return { ...answer, cache: answer.headers['x-cache'], json: JSON.parse(answer.body) };
	});
	// (who has not read as far in the log as an answer of the other one must ask itself)
	await until(() => sql('SELECT roost.worker_sync()') === 't', 'the worker');
	let n = 0;
	await until(async () => {
		const path = `/test/kept/shared${++n}`;
		const first = await ask(pair[0], path);
		if (first.cache === 'BYPASS') return false;
		assert.equal(first.cache, 'MISS');
		await redis.holds(path);
		const second = await ask(pair[1], path);
		if (second.cache !== 'HIT') return false;
		assert.deepEqual([second.body, second.headers.etag], [first.body, first.headers.etag]);
		return true;
	}, 'an answer of the other gateway');
	assert.ok((await metric(pair[1], 'roost_gateway_redis_hits_total')) >= 1);
	// each knows by itself what has changed
	const id = await post(ann, 'shared by all');
	for (const from of pair) await until(async () => (await ask(from, `/tweets/${id}`)).cache === 'HIT', 'a kept answer');
	await write(ann, 'PATCH', `/tweets/${id}`, { text: 'changed for all' });
	for (const from of pair) {
		await until(async () => (await ask(from, `/tweets/${id}`)).json.text === 'changed for all', 'the change');
		for (let i = 0; i < 5; i++) assert.equal((await ask(from, `/tweets/${id}`)).json.text, 'changed for all');
	}
	// no name in Redis, and no value, holds what a client has sent as a secret
	assert.ok((await redis.keys()).every((name) => /^roost:cache:[0-9a-f]{64}$/.test(name)));
	for (const from of pair) await from.stop();
	await redis.stop();
});
test('Redis goes and comes back, and nobody notices', needsRedis, async () => {
	let redis = await startRedis();
	const from = await startGateway({ 'redis-url': redis.url });
	await redisUp(from);
	await follows(from);
	const gone = () => from.log.match(/Redis cannot be used/g)?.length ?? 0;
	const back = () => from.log.match(/Redis is back/g)?.length ?? 0;
	for (let round = 1; round <= 2; round++) {
		await redis.stop();
		await until(async () => (await metric(from, 'roost_gateway_redis_connected')) === 0, 'the loss');
		for (let i = 0; i < 50; i++) assert.equal((await get(`/test/kept/gone${round}x${i}`, { from })).status, 200);
		assert.equal((await kept(`/test/kept/gone${round}x0`, { from })).status, 200);
		await until(() => gone() === round, 'the line of the log');
		redis = await startRedis({ port: redis.port });
		await redisUp(from);
		await until(() => back() === round, 'the line of the log');
		await get(`/test/kept/back${round}`, { from });
		await redis.holds(`/test/kept/back${round}`);
	}
	assert.equal(gone(), 2);
	// one that hangs holds nobody up for long
	process.kill(redis.pid, 'SIGSTOP');
	for (let i = 0; i < 3; i++) assert.equal((await get(`/test/kept/hanging${i}`, { from })).status, 200);
	await until(async () => {
		await get(`/test/kept/hanging${Math.random()}`, { from });
		return (await metric(from, 'roost_gateway_redis_connected')) === 0;
	}, 'the loss');
	process.kill(redis.pid, 'SIGCONT');
	await redisUp(from);
	await from.stop();
	await redis.stop();
});
test('garbage in Redis is ignored', needsRedis, async () => {
	const redis = await startRedis();
	const pair = await Promise.all([startGateway({ 'redis-url': redis.url }), startGateway({ 'redis-url': redis.url })]);
	for (const from of pair) {
		await redisUp(from);
		await follows(from);
	}
	const ask = (from, n) => until(async () => {
		const [answer] = answers(await raw(from, `GET /test/kept/garbage${n}?size=300 HTTP/1.1\r\nHost: shared.example\r\nConnection: close\r\n\r\n`));
		return answer.headers['x-cache'] !== 'BYPASS' && answer;
	}, 'an answer that has to do with the cache');
	const spoil = [
		async (name) => redis.ask('SET', name, 'nonsense'),
		async (name) => redis.ask('SET', name, ''),
		async (name) => redis.ask('SETRANGE', name, '100', 'XXXX'),
		async (name) => redis.ask('APPEND', name, 'more'),
		async (name) => redis.ask('SETRANGE', name, '0', '\0\0\0\0'),
		async (name) => redis.ask('SET', name, 'x'.repeat(3000000)),
		async (name) => { await redis.ask('DEL', name); return redis.ask('LPUSH', name, 'a list'); },
		async (name) => redis.ask('SETRANGE', name, '64', '\xff\xff\xff\xff'),
	];
	for (const [n, act] of spoil.entries()) {
		const first = await ask(pair[0], n);
		assert.equal(first.status, 200);
		const name = await redis.holds(`/test/kept/garbage${n}?`);
		await act(name);
		const second = await ask(pair[1], n);
		assert.deepEqual([second.status, second.headers['x-cache']], [200, 'MISS'], `case ${n}`);
		assert.notEqual(second.body, first.body);
	}
	assert.equal(pair[1].ended, undefined);
	for (const from of pair) await from.stop();
	await redis.stop();
});
test('a password for Redis, from a file or the environment, never shows', needsRedis, async () => {
	const password = 'hush-hush-hush';
	const redis = await startRedis({ password });
	const file = join(folder, 'redis-password');
	writeFileSync(file, `${password}\n`);
	chmodSync(file, 0o600);
	const byFile = await startGateway({ 'redis-url': redis.url, 'redis-password-file': file });
	const byUrl = await startGateway({}, { ROOST_GATEWAY_REDIS_URL: `redis://:${password}@127.0.0.1:${redis.port}` });
	for (const from of [byFile, byUrl]) await redisUp(from);
	const wrong = await startGateway({}, { ROOST_GATEWAY_REDIS_URL: `redis://:not-${password}@127.0.0.1:${redis.port}` });
	await until(() => /Redis cannot be used/.test(wrong.log), 'the refusal');
	assert.equal((await get('/test/kept/wrong', { from: wrong })).status, 200);
	for (const from of [byFile, byUrl, wrong]) {
		await from.stop();
		assert.doesNotMatch(from.log + from.out, /hush/);
	}
	await redis.stop();
});
test('mistakes in the settings are explained', () => {
	const open = join(folder, 'open-redis-password');
	writeFileSync(open, 'hush');
	chmodSync(open, 0o644);
	for (const [args, environment, why] of [
		[['--redis-url=redis://:hush@x'], {}, /password, which everyone/],
		[['--redis-url=rediss://x'], {}, /TLS to Redis is not offered/],
		[['--redis-url=http://x'], {}, /must begin with redis:/],
		[['--redis-url=redis://x/y'], {}, /number of a database/],
		[[], { ROOST_GATEWAY_REDIS_URL: 'redis://u:hush%zz@x' }, /cannot be read/],
		[['--redis-password-file', open], {}, /open to others/],
		[[`--redis-prefix=${'x'.repeat(33)}`], {}, /at most 32/],
		[['--cache-size=-1'], {}, /must be/],
		[['--cache-ttl=2h'], {}, /must be/],
	]) {
		const run = spawnSync(binary, args, { encoding: 'utf8', env: { ...process.env, ...environment } });
		assert.equal(run.status, 2, `${args} ${run.stderr}`);
		assert.match(run.stderr, why);
		assert.doesNotMatch(run.stderr, /hush/);
	}
});
