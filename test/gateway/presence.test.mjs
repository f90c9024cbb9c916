// Who is online and who is typing, over two gateways on one database.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, liftLimits, metric, sql, startGateway, until } from './lib.mjs';

let one;
let other;

// How long an account stays online without a connection.
async function setGrace(time) {
	sql(`ALTER SYSTEM SET roost.presence_grace = '${time}'; SELECT pg_reload_conf()`);
	await until(() => sql(`SELECT current_setting('roost.presence_grace')`) === time, 'the setting');
}

// Stops the clock of the server, or lets time pass over it; null lets it run again.
function freeze(passed) {
	sql(`SELECT roost_internal.clock_freeze(${passed === null ? 'NULL' : `roost_internal.clock_now() + interval '${passed}'`}, everywhere => true); SELECT roost.worker_sync('1 minute')`);
}

before(async () => {
	liftLimits();
	sql(`ALTER SYSTEM SET roost.presence_settle = 0`);
	await setGrace('700ms');
	[one, other] = await Promise.all([startGateway(), startGateway()]);
});
after(async () => {
	await Promise.all([one?.stop(), other?.stop()]);
});

// Opens a stream of an account (or of nobody) with channels; signals that come are in .signals.
async function stream(gateway, user, ...channels) {
	const client = await WebSocketClient.open(gateway, user ? { headers: { authorization: `Bearer ${user.token}` } } : {});
	await client.message({ type: 'hello' });
	if (user) await client.message({ type: 'ready' });
	if (channels.length > 0) assert.equal((await client.ask({ type: 'subscribe', channels })).type, 'subscribed');
	return client;
}

// Resolves with the next signal that comes on a stream.
const signal = async (client) => {
	const { event, data } = await client.message({ type: 'signal' });
	return [event, data.account_id ?? data.account.id, data.channel];
};

// All signals that have come on a stream and nobody has taken.
const signals = (client) => client.frames.map(({ payload }) => JSON.parse(payload)).filter(({ type }) => type === 'signal')
	.map(({ event, data }) => [event, data.account_id ?? data.account.id, data.channel]);

// What both gateways knew before is told, and everything that was signalled before has reached the clients, before what this causes:
// at each of them somebody else comes online, whom everybody may see.
async function marker(...clients) {
	const marks = [await account(one, 'mark'), await account(one, 'mark')];
	const channels = marks.map(({ id }) => `user:${id}`);
	for (const { token } of marks) assert.equal((await call(one, 'PUT', '/presence/settings', { token, body: { presence: 'everyone' } })).status, 200);
	for (const client of clients) assert.equal((await client.ask({ type: 'subscribe', channels })).type, 'subscribed');
	const sockets = [await stream(one, marks[0]), await stream(other, marks[1])];
	for (const client of clients) await client.until(() => marks.every((mark) => signals(client).some(([, id]) => id === mark.id)), 'the marks');
	const seen = clients.map((client) => signals(client).filter(([, id]) => !marks.some((mark) => id === mark.id)));
	for (const client of clients) {
		client.frames = client.frames.filter(({ payload }) => JSON.parse(payload).type !== 'signal');
		await client.ask({ type: 'unsubscribe', channels });
	}
	for (const socket of sockets) await socket.close();
	return seen;
}

const online = async (gateway, viewer, ...users) => {
	const answer = await call(gateway, 'GET', `/presence?${users.map(({ id }) => `account_ids=${id}`).join('&')}`, { token: viewer?.token });
	assert.equal(answer.status, 200, answer.text);
	return answer.json.items.map((item) => item.online);
};

// Two accounts that follow each other, and one that follows the first.
async function friends() {
	const [ada, bob, eve] = [await account(one, 'ada'), await account(one, 'bob'), await account(one, 'eve')];
	for (const [who, whom] of [[ada, bob], [bob, ada], [eve, ada]]) {
		assert.equal((await call(one, 'POST', `/users/${whom.id}/follow`, { token: who.token })).status, 200);
	}
	return [ada, bob, eve];
}

test('an account with devices at several gateways is online once, and offline after the last and the time of grace', async () => {
	const [ada, bob] = await friends();
	const watcher = await stream(one, bob, 'presence');
	assert.deepEqual(await online(one, bob, ada), [false]);
	const phone = await stream(other, ada);
	assert.deepEqual(await signal(watcher), ['user:online', ada.id, undefined]);
	assert.deepEqual(await online(other, bob, ada), [true]);
	// (the two gateways tell it at times of their own)
	await setGrace('1h');
	const laptop = await stream(one, ada, 'home');
	await phone.close();
	assert.deepEqual(await marker(watcher), [[]]);
	await setGrace('700ms');
	await until(() => sql('SELECT leaving FROM roost.stat_presence') === '0', 'the end of those that left');
	assert.deepEqual(await marker(watcher), [[]]);
	assert.deepEqual(await online(one, bob, ada), [true]);
	await laptop.close();
	const { event, data } = await watcher.message({ type: 'signal' });
	assert.deepEqual([event, data.account_id], ['user:offline', ada.id]);
	assert.match(data.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	const answer = await call(one, 'GET', `/presence?account_ids=${ada.id}`, { token: bob.token });
	assert.deepEqual(answer.json.items, [{ account_id: ada.id, online: false, changed_at: data.at }]);
	await watcher.close();
});

test('who comes back within the time of grace has not been away', async () => {
	// (of the streams of others the server may not know yet that they were closed)
	await until(() => sql('SELECT online + leaving FROM roost.stat_presence') === '0', 'the end of others');
	await setGrace('1h');
	const [ada, bob] = await friends();
	const watcher = await stream(one, bob, 'presence', `user:${ada.id}`);
	const first = await stream(other, ada);
	assert.deepEqual(await signal(watcher), ['user:online', ada.id, undefined]);
	await first.close();
	await until(() => sql('SELECT leaving > 0 FROM roost.stat_presence') === 't', 'the end of the first');
	const second = await stream(one, ada);
	await until(() => sql('SELECT leaving FROM roost.stat_presence') === '0', 'the second');
	assert.deepEqual(await marker(watcher), [[]]);
	await Promise.all([second.close(), watcher.close()]);
	await setGrace('700ms');
	await until(() => sql('SELECT leaving FROM roost.stat_presence') === '0', 'the end of those that left');
});

test('only those see it who may', async () => {
	const [ada, bob, eve] = await friends();
	const watchers = [await stream(one, bob, 'presence'), await stream(other, bob, `user:${ada.id}`), await stream(one, eve, 'presence', `user:${ada.id}`),
		await stream(other, null, `user:${ada.id}`), await stream(one, ada, 'presence', `user:${ada.id}`)];
	// ada is online by the last one herself
	assert.deepEqual(await signal(watchers[0]), ['user:online', ada.id, undefined]);
	assert.deepEqual(await signal(watchers[1]), ['user:online', ada.id, undefined]);
	const [, , ...others] = await marker(...watchers);
	// (who follows bob may hear of him)
	assert.deepEqual(others.map((heard) => heard.filter(([, id]) => id === ada.id)), [[], [], []]);
	assert.deepEqual([await online(one, bob, ada), await online(one, eve, ada), await online(one, null, ada), await online(one, ada, ada)],
		[[true], [false], [false], [true]]);

	// everybody, but the account itself
	assert.equal((await call(one, 'PUT', '/presence/settings', { token: ada.token, body: { presence: 'everyone' } })).json.presence, 'everyone');
	assert.equal((await call(other, 'GET', '/presence/settings', { token: ada.token })).json.presence, 'everyone');
	assert.deepEqual([await online(one, eve, ada), await online(one, null, ada)], [[true], [true]]);
	await watchers.pop().close();
	for (const watcher of watchers) assert.deepEqual(await signal(watcher), ['user:offline', ada.id, undefined]);

	// nobody
	await call(one, 'PUT', '/presence/settings', { token: ada.token, body: { presence: 'nobody' } });
	const back = await stream(other, ada);
	await until(() => sql(`SELECT online FROM roost_internal.presence_state('{${ada.id}}')`) === 't', 'the stream');
	assert.deepEqual(await marker(...watchers), [[], [], [], []]);
	assert.deepEqual([await online(one, bob, ada), await online(one, eve, ada), await online(one, ada, ada)], [[false], [false], [true]]);
	assert.equal((await call(one, 'PUT', '/presence/settings', { token: ada.token, body: { presence: 'some' } })).status, 422);
	assert.equal((await call(one, 'PUT', '/presence/settings', { body: { presence: 'nobody' } })).status, 401);
	await Promise.all([back.close(), ...watchers.map((watcher) => watcher.close())]);
});

test('typing reaches others at every gateway who may see the post, once in 3 seconds', async () => {
	const [ada, bob, eve] = await friends();
	const post = (await call(one, 'POST', '/tweets', { token: ada.token, body: { text: 'an open question' } })).json;
	const hidden = (await call(one, 'POST', '/tweets', { token: ada.token, body: { text: 'for followers', visibility: 'followers' } })).json;
	const stranger = await account(one, 'stranger');
	const writer = await stream(one, bob, `post:${post.id}`, `post:${hidden.id}`);
	const readers = [await stream(one, ada, `post:${post.id}`, `post:${hidden.id}`), await stream(other, eve, `post:${post.id}`, `post:${hidden.id}`),
		await stream(other, stranger, `post:${post.id}`, `post:${hidden.id}`), await stream(one, null, `post:${post.id}`, `post:${hidden.id}`)];
	const type = (event, target) => writer.json({ type: 'signal', event, channel: `post:${target.id}` });
	const heard = async (event, target, ...who) => {
		for (const reader of who) assert.deepEqual(await signal(reader), [event, bob.id, `post:${target.id}`]);
	};
	freeze('0');
	for (let i = 0; i < 5; i++) type('typing:start', post);
	await heard('typing:start', post, ...readers);
	type('typing:start', hidden);
	await heard('typing:start', hidden, readers[0], readers[1]);
	type('typing:stop', hidden);
	await heard('typing:stop', hidden, readers[0], readers[1]);
	assert.deepEqual(await marker(writer, ...readers), [[], [], [], [], []], 'nothing else, and nothing to the writer');
	// nobody goes on with it, and so it ends
	freeze('6 s');
	await heard('typing:stop', post, ...readers);

	// with the last connection it ends, too
	type('typing:start', post);
	await heard('typing:start', post, ...readers);
	await writer.close();
	await heard('typing:stop', post, ...readers);
	freeze(null);
	await Promise.all(readers.map((reader) => reader.close()));
});

test('signals of a socket that come together keep their order', async () => {
	const [ada, bob] = await friends();
	const targets = [];
	for (let i = 0; i < 8; i++) targets.push((await call(one, 'POST', '/tweets', { token: ada.token, body: { text: `question ${i}` } })).json);
	const reader = await stream(one, ada, ...targets.map(({ id }) => `post:${id}`));
	// its connections to the database are new: they plan each statement first, and are not equally fast
	const fresh = await startGateway();
	const writer = await stream(fresh, bob);
	const events = ['typing:start', 'typing:stop'];
	for (const { id } of targets) for (const event of events) writer.json({ type: 'signal', event, channel: `post:${id}` });
	for (const { id } of targets) for (const event of events) assert.deepEqual(await signal(reader), [event, bob.id, `post:${id}`]);
	await Promise.all([writer.close(), reader.close()]);
	await fresh.stop();
});

test('mistakes are answered', async () => {
	const [ada, bob] = await friends();
	const hidden = (await call(one, 'POST', '/tweets', { token: bob.token, body: { text: 'to nobody', visibility: 'direct' } })).json;
	const client = await stream(one, ada);
	const error = async (event, channel) => {
		const answer = await client.ask({ type: 'signal', event, channel });
		assert.equal(answer.type, 'error');
		return answer.status;
	};
	assert.equal(await error('typing:start', `post:${hidden.id}`), 404);
	assert.equal(await error('typing:start', 'post:1'), 404);
	assert.equal(await error('typing:stop', 'conversation:1'), 404);
	assert.equal(await error('user:online', 'post:1'), 422);
	await client.close();
	const nobody = await stream(one, null);
	assert.equal((await nobody.ask({ type: 'signal', event: 'typing:start', channel: 'post:1' })).status, 401);
	await nobody.close();
});

test('the accounts of a gateway that is killed go offline, those of one that is stopped at once', async () => {
	const [ada, bob] = await friends();
	const watcher = await stream(one, bob, 'presence');
	const third = await startGateway();
	await stream(third, ada);
	assert.deepEqual(await signal(watcher), ['user:online', ada.id, undefined]);
	const lost = Number(sql('SELECT gateways_lost FROM roost.stat_presence'));
	third.child.kill('SIGKILL');
	await third.exited;
	assert.deepEqual(await signal(watcher), ['user:offline', ada.id, undefined]);
	assert.ok(Number(sql('SELECT gateways_lost FROM roost.stat_presence')) > lost);

	const fourth = await startGateway();
	await stream(fourth, ada);
	assert.deepEqual(await signal(watcher), ['user:online', ada.id, undefined]);
	await fourth.stop();
	assert.deepEqual(await signal(watcher), ['user:offline', ada.id, undefined]);
	await watcher.close();
});

test('a server that has forgotten everything is told who is there', async () => {
	const [ada, bob] = await friends();
	const sockets = [await stream(one, ada, 'home'), await stream(other, bob, 'home')];
	await until(() => sql(`SELECT bool_and(online) FROM roost_internal.presence_state('{${ada.id},${bob.id}}')`) === 't', 'both');
	// the worker dies, and PostgreSQL makes its shared memory anew
	sql(`ALTER SYSTEM SET roost.presence_settle = '1h'; ALTER SYSTEM SET restart_after_crash = on; SELECT pg_reload_conf()`);
	await until(() => sql(`SELECT current_setting('roost.presence_settle')`) === '1h', 'the setting');
	const worker = Number(sql('SELECT pid FROM roost.stat_worker'));
	const started = sql('SELECT pg_postmaster_start_time()');
	process.kill(worker, 'SIGKILL');
	const quiet = (text) => { try { return sql(text); } catch { return ''; } };
	await until(() => quiet(`SELECT bool_and(p.online) AND w.pid <> ${worker} FROM roost.stat_worker w, roost_internal.presence_state('{${ada.id},${bob.id}}') p GROUP BY w.pid`) === 't', 'what the gateways tell', 60000);
	assert.equal(sql('SELECT pg_postmaster_start_time()'), started);
	assert.equal(sql(`SELECT count(*) FROM roost_internal.signal_list() WHERE event LIKE 'user:%'`), '0');
	assert.ok(sockets.every((socket) => !socket.gone));
	sql(`ALTER SYSTEM SET roost.presence_settle = 0; SELECT pg_reload_conf()`);
	await Promise.all(sockets.map((socket) => socket.close()));
});

test('the metrics count', async () => {
	assert.ok(await metric(one, 'roost_gateway_signals_total') > 0);
	await until(async () => await metric(one, 'roost_presence_gateways', { server: 'primary' }) === Number(sql('SELECT gateways FROM roost.stat_presence')), 'the number of gateways');
});
