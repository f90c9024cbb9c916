// The hub: what reaches whom, in order and once, whatever happens to its connections, to the doorbell and to the log.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, hold, liftLimits, metric, sql, startGateway, until } from './lib.mjs';

let gateway;
let alice;
let bob;
let carol;
before(async () => {
	liftLimits();
	gateway = await startGateway();
	[alice, bob, carol] = [await account(gateway, 'alice'), await account(gateway, 'bob'), await account(gateway, 'carol')];
	for (const user of [bob, carol]) await follow(user, alice);
});
after(async () => { await gateway?.stop(); });

const follow = async (user, other) => assert.equal((await call(gateway, 'POST', `/users/${other.id}/follow`, { token: user.token })).status, 200);
const unfollow = async (user, other) => assert.ok((await call(gateway, 'DELETE', `/users/${other.id}/follow`, { token: user.token })).status < 300);

async function post(user, text, more = {}) {
	const answer = await call(gateway, 'POST', '/tweets', { token: user.token, body: { text, ...more } });
	assert.equal(answer.status, 201, answer.text);
	return answer.json;
}

// A socket that collects the events it gets; `ask` is subscribe or resume.
async function stream(user, channels, { cursor, at = gateway } = {}) {
	const client = await WebSocketClient.open(at, user ? { headers: { authorization: `Bearer ${user.token}` } } : {});
	if (user) await client.message({ type: 'ready' });
	client.answer = await client.ask({ type: cursor ? 'resume' : 'subscribe', channels, ...(cursor ? { cursor } : {}) });
	assert.equal(client.answer.type, cursor ? 'resumed' : 'subscribed', JSON.stringify(client.answer));
	client.cursor = client.answer.cursor;
	client.events = [];
	client.take = () => {
		for (const { opcode, payload } of client.frames.splice(0)) {
			const message = opcode === 1 ? JSON.parse(payload) : {};
			if (message.type === 'reset') client.reset = message.cursor;
			if (message.cursor) client.cursor = message.cursor;
			client.events.push(...message.events ?? []);
		}
		return client.events;
	};
	// Resolves when an event about a post, or the last of some, has come.
	client.post = (id) => client.until(() => client.take().find((event) => event.event === 'tweet:new' && event.data.post.id === id), `post ${id}`);
	client.texts = () => client.take().filter((event) => event.event === 'tweet:new').map((event) => event.data.post.text);
	return client;
}

// The ids of events only grow.
function inOrder(client) {
	const keys = client.take().map(({ id }) => id.split('.').map(Number)).map(([seq, part]) => seq * 10 + part);
	assert.deepEqual(keys, [...new Set(keys)].sort((a, b) => a - b), 'events come in order and once');
}

test('one event once, whichever channels it comes by', async () => {
	const follower = await stream(bob, ['home', 'public', `user:${alice.id}`, 'hashtag:hub']);
	const stranger = await stream(null, ['public', 'hashtag:hub']);
	const other = await stream(null, ['hashtag:other']);
	const first = await post(alice, 'one #hub');
	const last = await post(alice, 'two #other');
	await Promise.all([follower.post(last.id), stranger.post(last.id), other.post(last.id)]);
	assert.deepEqual(follower.texts(), ['one #hub', 'two #other']);
	assert.deepEqual(stranger.texts(), ['one #hub', 'two #other']);
	assert.deepEqual(other.texts(), ['two #other']);
	// (what was done before the test may come first)
	const [home, seen] = [follower, stranger].map(({ events }) => events.find(({ data }) => data.post?.id === first.id));
	assert.deepEqual(home.channels.sort(), ['hashtag:hub', 'home', 'public', `user:${alice.id}`].sort());
	assert.deepEqual(seen.channels.sort(), ['hashtag:hub', 'public', `user:${alice.id}`].sort());
	for (const client of [follower, stranger, other]) client.destroy();
});

test('home follows the follows', async () => {
	const dave = await account(gateway, 'dave');
	const client = await stream(dave, ['home']);
	const before = await post(alice, 'not followed yet');
	await follow(dave, alice);
	const during = await post(alice, 'followed');
	await client.post(during.id);
	await unfollow(dave, alice);
	await post(alice, 'not followed any more');
	const own = await post(dave, 'my own');
	await client.post(own.id);
	assert.deepEqual(client.texts(), ['followed', 'my own']);
	assert.ok(before.id);
	assert.deepEqual(client.events.map((event) => event.event), ['user:followed', 'tweet:new', 'user:unfollowed', 'tweet:new']);
	inOrder(client);
	client.destroy();
});

test('what is not for everyone reaches those who may see it', async () => {
	const clients = [await stream(bob, ['home', `user:${alice.id}`]), await stream(null, [`user:${alice.id}`]), await stream(await account(gateway, 'eve'), [`user:${alice.id}`])];
	await post(alice, 'for followers', { visibility: 'followers' });
	const last = await post(alice, 'for all');
	for (const client of clients) await client.post(last.id);
	assert.deepEqual(clients.map((client) => client.texts()), [['for followers', 'for all'], ['for all'], ['for all']]);
	for (const client of clients) client.destroy();
});

test('notifications', async () => {
	const client = await stream(alice, ['notifications']);
	const liked = await post(alice, 'to be liked');
	assert.ok((await call(gateway, 'POST', `/tweets/${liked.id}/like`, { token: bob.token })).status < 300);
	const told = () => client.take().filter((event) => event.event === 'notification:new');
	await client.until(() => told().length > 0, 'the notification');
	const like = client.events.find((event) => event.event === 'tweet:liked');
	assert.equal(told()[0].id, `${like.id.split('.')[0]}.1`, 'the same row of the log');
	inOrder(client);
	client.destroy();
});

test('a resumed stream has what it missed, then what happens, in order and once', async () => {
	const first = await stream(bob, ['home', 'public']);
	const seen = await post(alice, 'seen');
	await first.post(seen.id);
	first.destroy();
	for (let i = 0; i < 150; i++) await post(alice, `missed ${i}`, { visibility: i % 7 === 0 ? 'followers' : 'public' });
	const missed = Array.from({ length: 150 }, (_, i) => `missed ${i}`);

	// others come back at the same time, while more is written
	const back = Array.from({ length: 20 }, () => stream(bob, ['home', 'public'], { cursor: first.cursor }));
	const more = [];
	for (let i = 0; i < 30; i++) more.push(await post(alice, `more ${i}`));
	for (const client of await Promise.all(back)) {
		assert.equal(client.answer.recovered, true);
		assert.equal(client.answer.cursor, first.cursor);
		await client.post(more.at(-1).id);
		assert.deepEqual(client.texts(), [...missed, ...more.map((_, i) => `more ${i}`)]);
		inOrder(client);
		client.destroy();
	}

	const lost = await stream(bob, ['home'], { cursor: '1-1' });
	assert.equal(lost.answer.recovered, false);
	assert.match(lost.cursor, /^\d+-\d+$/);
	const next = await post(alice, 'after that');
	await lost.post(next.id);
	assert.deepEqual(lost.texts(), ['after that']);
	lost.destroy();
});

test('the connection that listens is lost while events flow: nothing is', async () => {
	const client = await stream(bob, ['home']);
	const connects = await metric(gateway, 'roost_gateway_doorbell_connects_total');
	const bells = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'roost-gateway doorbell'";
	const texts = [];
	let last;
	for (let round = 0; round < 3; round++) {
		// (it may not have noticed yet that the last one was lost)
		await until(async () => await metric(gateway, 'roost_gateway_doorbell_connects_total') >= connects + round && await metric(gateway, 'roost_gateway_doorbell_up') === 1, 'the doorbell');
		for (let i = 0; i < 20; i++) {
			if (i === 10) assert.ok(Number(sql(bells)) >= 1);
			texts.push(`round ${round} post ${i}`);
			last = await post(alice, texts.at(-1));
		}
	}
	await client.post(last.id);
	assert.deepEqual(client.texts(), texts);
	inOrder(client);
	await until(async () => await metric(gateway, 'roost_gateway_doorbell_connects_total') >= connects + 3, 'the connections');
	client.destroy();
});

test('all connections to the database are lost while events flow: nothing is', async () => {
	const client = await stream(bob, ['home', 'notifications']);
	const kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'roost-gateway%'";
	const texts = [];
	for (let i = 0; i < 40; i++) {
		if (i % 8 === 4) sql(kill);
		texts.push(`without the gateway ${i}`);
		sql(`SELECT roost.post_create(${alice.id}, '${texts.at(-1)}', visibility => '${i % 3 ? 'public' : 'followers'}')`);
	}
	await client.until(() => client.texts().includes(texts.at(-1)), 'the last post');
	assert.deepEqual(client.texts(), texts);
	inOrder(client);
	client.destroy();
	await until(async () => (await fetch(`${gateway.url}/health`)).status === 200, 'the database');
	for (const lane of ['fast', 'write', 'slow']) await until(async () => await metric(gateway, 'roost_gateway_lane_connections', { lane }) > 0, `the lane ${lane}`);
});

test('a database without room for the slow lane: who comes back gets what it missed', async () => {
	const slow = "FROM pg_stat_activity WHERE application_name = 'roost-gateway slow'";
	const client = await stream(bob, ['home']);
	const { cursor } = client;
	client.destroy();
	const missed = await post(alice, 'while the lane is gone');
	sql('ALTER ROLE roost_gateway CONNECTION LIMIT 1');
	try {
		await until(async () => {
			sql(`SELECT count(pg_terminate_backend(pid)) ${slow}`);
			return await metric(gateway, 'roost_gateway_lane_connections', { lane: 'slow' }) === 0;
		}, 'the end of the lane');
		const again = await stream(bob, ['home'], { cursor });
		await again.post(missed.id);
		assert.equal(sql(`SELECT count(*) ${slow}`), '0');
		again.destroy();
	} finally {
		sql('ALTER ROLE roost_gateway CONNECTION LIMIT -1');
	}
	await until(async () => await metric(gateway, 'roost_gateway_lane_connections', { lane: 'slow' }) > 0, 'the lane');
});

test('notifications of the database that never come are found by asking', async () => {
	const client = await stream(bob, ['home']);
	const late = await metric(gateway, 'roost_gateway_hub_late_total');
	sql("ALTER SYSTEM SET roost.notify_interval = -1");
	sql("SELECT pg_reload_conf()");
	try {
		await until(() => sql('SHOW roost.notify_interval') === '-1', 'the setting');
		const texts = [];
		await until(async () => {
			texts.push(`in silence ${texts.length}`);
			const last = await post(alice, texts.at(-1));
			await client.post(last.id);
			return await metric(gateway, 'roost_gateway_hub_late_total') > late;
		}, 'a late doorbell');
		assert.deepEqual(client.texts(), texts);
	} finally {
		sql("ALTER SYSTEM RESET roost.notify_interval");
		sql("SELECT pg_reload_conf()");
	}
	client.destroy();
});

test('a log that does not go on resets everybody', async () => {
	const client = await stream(bob, ['home']);
	const seen = await post(alice, 'before');
	await client.post(seen.id);
	const old = client.cursor;
	// as after the promotion of a standby: another timeline, when the worker looks
	sql(`
		UPDATE roost_data.feed_state SET timeline = timeline + 1;
		SELECT pg_terminate_backend(pid) FROM roost.stat_worker;
	`);
	await client.until(() => client.take() && client.reset, 'reset');
	assert.notEqual(client.reset.split('-')[0], old.split('-')[0], 'another epoch');
	const next = await post(alice, 'after');
	await client.post(next.id);
	assert.equal(client.texts().at(-1), 'after');
	const lost = await stream(bob, ['home'], { cursor: old });
	assert.equal(lost.answer.recovered, false);
	const resumed = await stream(bob, ['home'], { cursor: client.reset });
	assert.equal(resumed.answer.recovered, true);
	await resumed.post(next.id);
	assert.ok(await metric(gateway, 'roost_gateway_hub_resets_total') >= 1);
	for (const each of [client, lost, resumed]) each.destroy();
});

test('two gateways give the same', async () => {
	const second = await startGateway();
	try {
		const clients = [await stream(bob, ['home']), await stream(carol, ['home'], { at: second })];
		const texts = [];
		let last;
		for (let i = 0; i < 20; i++) {
			texts.push(`for both ${i}`);
			last = await post(alice, texts.at(-1));
		}
		for (const client of clients) {
			await client.post(last.id);
			assert.deepEqual(client.texts(), texts);
		}
		assert.deepEqual(clients[0].events.map((event) => event.id), clients[1].events.map((event) => event.id));
		clients[0].destroy();
		const moved = await stream(bob, ['home'], { at: second, cursor: clients[0].cursor });
		const next = await post(alice, 'moved');
		await moved.post(next.id);
		assert.deepEqual(moved.texts(), ['moved']);
		for (const client of [moved, clients[1]]) client.destroy();
	} finally {
		await second.stop();
	}
});

test('a gateway that stops while the database still has to say whom an account follows', async () => {
	const stopping = await startGateway();
	const client = await WebSocketClient.open(stopping, { headers: { authorization: `Bearer ${bob.token}` } });
	await client.message({ type: 'ready' });
	const lock = await hold(null, 'BEGIN; LOCK TABLE roost_data.follow');
	try {
		client.json({ type: 'subscribe', channels: ['home'] });
		await until(() => sql(`SELECT count(*) FROM pg_locks WHERE relation = 'roost_data.follow'::regclass AND NOT granted`) !== '0', 'the question');
		await stopping.stop();
	} finally {
		await lock.release();
	}
});

test('what is prepared is prepared again when its result changes, as an update may do', async () => {
	const client = await stream(bob, ['home', 'notifications']);
	await client.post((await post(alice, 'before')).id);
	const signature = 'bigint, integer, boolean';
	try {
		// The same rows with another type: "cached plan must not change result type".
		sql(`BEGIN;
			ALTER FUNCTION roost.stream_read(${signature}) RENAME TO stream_read_kept;
			DO $$ BEGIN
				EXECUTE format('CREATE FUNCTION roost.stream_read(after bigint, "limit" integer, rooms boolean) RETURNS %s LANGUAGE sql SECURITY DEFINER AS %L',
					replace(pg_get_function_result('roost.stream_read_kept(${signature})'::regprocedure), 'seq bigint', 'seq numeric'), 'SELECT * FROM roost.stream_read_kept($1, $2, $3)');
			END $$;
			GRANT EXECUTE ON FUNCTION roost.stream_read(${signature}) TO roost_gateway;
			COMMIT`);
		await client.post((await post(alice, 'during')).id);
	} finally {
		sql(`BEGIN; DROP FUNCTION roost.stream_read(${signature}); ALTER FUNCTION roost.stream_read_kept(${signature}) RENAME TO stream_read; COMMIT`);
	}
	await client.post((await post(alice, 'after')).id);
	assert.deepEqual(client.texts(), ['before', 'during', 'after']);
	assert.equal(client.reset, undefined);
	assert.doesNotMatch(gateway.log, /cached plan/);
	client.destroy();
});

test('nothing is left when everybody is gone', async () => {
	await until(async () => await metric(gateway, 'roost_gateway_hub_subscribers') === 0, 'the end of all streams');
	for (const name of ['topics', 'accounts', 'follows', 'catching_up', 'subscriptions']) await until(async () => await metric(gateway, `roost_gateway_hub_${name}`) === 0, `the end of ${name}`);
});
