// Every way in which a session ends closes every kind of stream of it, at once, and no other.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, liftLimits, metric, sql, startGateway, until } from './lib.mjs';

let gateway;
before(async () => {
	liftLimits();
	gateway = await startGateway();
});
after(async () => { await gateway?.stop(); });

const login = async (user) => (await call(gateway, 'POST', '/auth/login', { body: { identifier: user.username, password: user.password } })).json.access_token;

// Each ends the session of user.token; `other` is a token of another one of the account.
const ways = {
	logout: (user) => call(gateway, 'POST', '/auth/logout', { token: user.token }),
	'logout everywhere': (user, other) => call(gateway, 'POST', '/auth/logout-all', { token: other }),
	'its deletion from another device': async (user, other) => {
		const found = (await call(gateway, 'GET', '/auth/sessions', { token: user.token })).json.items.find(({ current }) => current);
		return call(gateway, 'DELETE', `/auth/sessions/${found.id}`, { token: other });
	},
	'another password': (user, other) => call(gateway, 'POST', '/auth/change-password', { token: other, body: { current_password: user.password, new_password: `${user.password} new` } }),
	suspension: (user) => sql(`UPDATE roost_data.account SET status = 'suspended' WHERE id = ${user.id}`),
	'deletion of the account': (user, other) => call(gateway, 'DELETE', '/users/me', { token: other, body: { password: user.password } }),
};

for (const [name, way] of Object.entries(ways))
	test(name, async () => {
		const user = await account(gateway, 'la');
		const other = await login(user);
		const bystander = await account(gateway, 'la_by');
		const headers = { authorization: `Bearer ${user.token}` };
		const { cursor } = (await call(gateway, 'GET', '/events', { token: user.token })).json;
		const unmoved = await WebSocketClient.open(gateway, { headers: { authorization: `Bearer ${bystander.token}` } });
		await unmoved.ask({ type: 'subscribe', channels: ['home'] });
		const socket = await WebSocketClient.open(gateway, { headers });
		await socket.ask({ type: 'subscribe', channels: ['home'] });
		const stream = (await fetch(`${gateway.url}/events/stream`, { headers })).text();
		const poll = fetch(`${gateway.url}/events?wait=60&after=${cursor}`, { headers });
		for (const transport of ['events', 'poll']) await until(async () => await metric(gateway, 'roost_gateway_hub_subscribers', { transport }) === 1, transport);
		const answer = await way(user, other);
		assert.ok(!answer || answer.status < 300, answer?.text);
		assert.equal((await socket.closure()).code, 4403);
		assert.equal((await poll).status, 401);
		await stream;
		assert.equal((await unmoved.ask({ type: 'ping' })).type, 'pong');
		unmoved.destroy();
	});
