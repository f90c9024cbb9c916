// What is not HTTP, or not quite, is refused with the right status and an answer.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { answers, connect, liftLimits, raw, startGateway, until } from './lib.mjs';

let gateway;
let quick; // waits for nobody, and so is for those who stall only
before(async () => {
	liftLimits();
	const settings = { 'idle-timeout': '5s', 'body-limit': '64kB', 'header-limit': '8kB', 'trusted-proxies': '127.0.0.0/8' };
	[gateway, quick] = [await startGateway(settings), await startGateway({ ...settings, 'header-timeout': '1s', 'body-timeout': '1s', 'idle-timeout': '3s' })];
});
after(async () => { await gateway?.stop(); await quick?.stop(); });

const host = 'Host: localhost\r\n';

async function refused(bytes, status, code, by = gateway) {
	const [answer, ...rest] = answers(await raw(by, bytes));
	assert.equal(answer.status, status, `${JSON.stringify(String(bytes).slice(0, 80))}: ${answer.body}`);
	assert.match(answer.headers['content-type'], /^application\/problem\+json/);
	const problem = JSON.parse(answer.body);
	assert.equal(problem.status, status);
	if (code) assert.equal(problem.code, code);
	assert.equal(answer.headers.connection, 'close');
	assert.equal(rest.length, 0, 'nothing follows on a connection that is out of step');
	return answer;
}

const badRequestLines = {
	'no target': 'GET\r\n\r\n',
	'no version': `GET /\r\n${host}\r\n`,
	'two spaces': `GET  / HTTP/1.1\r\n${host}\r\n`,
	'a bad version': `GET / HTTX/1.1\r\n${host}\r\n`,
	'something behind the version': `GET / HTTP/1.1 x\r\n${host}\r\n`,
	'a relative target': `GET health HTTP/1.1\r\n${host}\r\n`,
	'a control character in the target': `GET /\x01 HTTP/1.1\r\n${host}\r\n`,
	'a NUL in the target': `GET /a\0b HTTP/1.1\r\n${host}\r\n`,
	'a fragment in the target': `GET /a#b HTTP/1.1\r\n${host}\r\n`,
	'a star': `GET * HTTP/1.1\r\n${host}\r\n`,
	'a method that is no word': `G@T / HTTP/1.1\r\n${host}\r\n`,
	'a TLS handshake': Buffer.from('16030100c8010000c40303', 'hex'),
	'bytes at random': Buffer.from('00ff80fe0102', 'hex'),
	'bare line feeds': 'GET / HTTP/1.1\nHost: localhost\n\n',
	'a bare carriage return': `GET / HTTP/1.1\r\n${host}A: b\rC: d\r\n\r\n`,
};
for (const [what, bytes] of Object.entries(badRequestLines))
	test(`a request line with ${what} is 400`, () => refused(bytes, 400, 'malformed_request'));

const badHeaders = {
	'no Host': 'GET /health HTTP/1.1\r\n\r\n',
	'two Hosts': `GET /health HTTP/1.1\r\n${host}${host}\r\n`,
	'a Host with a space': 'GET /health HTTP/1.1\r\nHost: a b\r\n\r\n',
	'a space before the colon': `GET /health HTTP/1.1\r\n${host}A : b\r\n\r\n`,
	'no colon': `GET /health HTTP/1.1\r\n${host}Ab\r\n\r\n`,
	'an empty name': `GET /health HTTP/1.1\r\n${host}: b\r\n\r\n`,
	'a folded line': `GET /health HTTP/1.1\r\n${host}A: b\r\n c\r\n\r\n`,
	'a NUL': `GET /health HTTP/1.1\r\n${host}A: b\0c\r\n\r\n`,
	'a NUL in a name': `GET /health HTTP/1.1\r\n${host}A\0b: c\r\n\r\n`,
	'a Content-Length that is no number': `POST /auth/login HTTP/1.1\r\n${host}Content-Length: 1x\r\n\r\n`,
	'a negative Content-Length': `POST /auth/login HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`,
	'an empty Content-Length': `POST /auth/login HTTP/1.1\r\n${host}Content-Length:\r\n\r\n`,
	'two Content-Lengths': `POST /auth/login HTTP/1.1\r\n${host}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`,
	'Content-Length and Transfer-Encoding': `POST /auth/login HTTP/1.1\r\n${host}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
	'Transfer-Encoding in HTTP/1.0': `POST /auth/login HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
	'Transfer-Encoding twice': `POST /auth/login HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
};
for (const [what, bytes] of Object.entries(badHeaders))
	test(`headers with ${what} are 400`, () => refused(bytes, 400, 'malformed_request'));

const badChunks = { 'no number': 'zz\r\n', 'a number too large': 'fffffffff\r\n', 'no line end behind the data': '2\r\n{}x', 'a bare line feed': '2\n{}', 'a sign': '+2\r\n{}\r\n', 'an endless size line': 'a'.repeat(300) };
for (const [what, chunks] of Object.entries(badChunks))
	test(`chunks with ${what} are 400`, () => refused(`POST /auth/login HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${chunks}`, 400, 'malformed_request'));

test('other transfer codings are 501', () => refused(`POST /auth/login HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501, 'not_implemented'));
test('HTTP/3.0 in a request line is 505', () => refused(`GET / HTTP/3.0\r\n${host}\r\n`, 505, 'version_not_supported'));
test('an unknown method is 501 and says which there are', async () => {
	const answer = answers(await raw(gateway, `BREW /health HTTP/1.1\r\n${host}Connection: close\r\n\r\n`))[0];
	assert.equal(answer.status, 501);
	assert.match(answer.headers.allow, /GET.*POST.*DELETE/);
});
for (const method of ['TRACE', 'CONNECT', 'get'])
	test(`${method} is 501`, async () => assert.equal(answers(await raw(gateway, `${method} /health HTTP/1.1\r\n${host}Connection: close\r\n\r\n`))[0].status, 501));
test('an unknown expectation is 417', () => refused(`POST /auth/login HTTP/1.1\r\n${host}Expect: tea\r\nContent-Length: 2\r\n\r\n{}`, 417, 'expectation_failed'));

test('a request line that is too long is 414', () => refused(`GET /${'a'.repeat(9000)} HTTP/1.1\r\n${host}\r\n`, 414, 'uri_too_long'));
test('a request line that never ends is 414', () => refused(`GET /${'a'.repeat(9000)}`, 414, 'uri_too_long'));
test('headers that are too long are 431', () => refused(`GET /health HTTP/1.1\r\n${host}A: ${'a'.repeat(9000)}\r\n\r\n`, 431, 'headers_too_large'));
test('a header that never ends is 431', () => refused(`GET /health HTTP/1.1\r\n${host}A: ${'a'.repeat(9000)}`, 431, 'headers_too_large'));
test('too many headers are 431', () => refused(`GET /health HTTP/1.1\r\n${host}${'A: b\r\n'.repeat(101)}\r\n`, 431, 'headers_too_large'));
test('the second request of a connection is refused like the first', async () => {
	const [first, second] = answers(await raw(gateway, `GET /health HTTP/1.1\r\n${host}\r\nGET /health HTTP/1.1\r\n${host}A: ${'a'.repeat(9000)}\r\n\r\n`));
	assert.equal(first.status, 200);
	assert.equal(second.status, 431);
});

test('a body that is announced too long is 413, before it is sent', () => refused(`POST /auth/login HTTP/1.1\r\n${host}Content-Length: 65537\r\n\r\n`, 413, 'body_too_large'));
test('a length beyond 64 bits is 413', () => refused(`POST /auth/login HTTP/1.1\r\n${host}Content-Length: 99999999999999999999999\r\n\r\n`, 413, 'body_too_large'));
test('with Expect: 100-continue, too, and without a 100', () => refused(`POST /auth/login HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 70000\r\n\r\n`, 413, 'body_too_large'));
test('chunks that become too long are 413', () => refused(`POST /auth/login HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${`4000\r\n${'x'.repeat(0x4000)}\r\n`.repeat(5)}`, 413, 'body_too_large'));
test('a client that goes on sending after 413 still gets the answer', () => refused(`POST /auth/login HTTP/1.1\r\n${host}Content-Length: 1000000\r\n\r\n${'x'.repeat(1000000)}`, 413, 'body_too_large'));
test('a body of exactly the limit passes', async () => {
	const body = `{"identifier":"a","password":"${'x'.repeat(64 * 1024 - 32)}"}`;
	assert.equal(body.length, 64 * 1024);
	const answer = answers(await raw(gateway, `POST /auth/login HTTP/1.1\r\n${host}Connection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`))[0];
	assert.notEqual(answer.status, 413, answer.body);
});

// Slow clients. How long it took is not looked at.
test('a request line that stalls is 408', () => refused('GET /hea', 408, 'request_timeout', quick));
test('headers that stall are 408', () => refused(`GET /health HTTP/1.1\r\n${host}`, 408, 'request_timeout', quick));
test('headers that drip are 408', async () => {
	const socket = connect(quick);
	let got = '';
	socket.on('data', (data) => { got += data; });
	socket.write('GET /health HTTP/1.1\r\nA: ');
	const drip = setInterval(() => socket.write('x'), 50);
	try {
		await until(() => got.includes('\r\n\r\n'), 'the answer');
	} finally {
		clearInterval(drip);
		socket.destroy();
	}
	assert.match(got, /^HTTP\/1\.1 408 /);
});
test('a body that stalls is 408', () => refused(`POST /auth/login HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\n{`, 408, 'request_timeout', quick));
test('chunks that stall are 408', () => refused(`POST /auth/login HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\n{`, 408, 'request_timeout', quick));
test('a connection without a request is closed without a word', async () => assert.equal(await raw(quick, ''), ''));

test('random bytes never bring it down', async () => {
	let seed = 12345;
	const random = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed % n; };
	const pieces = ['GET ', '/health', ' HTTP/1.1', '\r\n', '\n', '\r', ': ', 'Host', 'Content-Length', '5', 'Transfer-Encoding', 'chunked', '\0', '\xff', ' ', 'x'.repeat(300), '0\r\n\r\n', '{}', 'Expect: 100-continue\r\n', 'POST '];
	for (let round = 0; round < 20; round++) {
		await Promise.all(Array.from({ length: 20 }, () => {
			const bytes = Buffer.from(Array.from({ length: random(30) + 1 }, () => pieces[random(pieces.length)]).join(''), 'latin1');
			return raw(gateway, bytes, { end: true }).catch(() => '');
		}));
	}
	assert.equal(answers(await raw(gateway, `GET /health HTTP/1.1\r\n${host}Connection: close\r\n\r\n`))[0].status, 200);
});
