#!/usr/bin/env node
// Runs published vectors of signatures and tokens against the server: every
// valid one of an offered algorithm must be accepted, all others refused.
// Needs psql; prints TAP.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.join(process.env.ROOST_TEST_DATA || '', 'vectors');
if (!process.env.ROOST_TEST_DATA || !existsSync(folder)) {
	console.log('1..0 # SKIP skipped: no data');
	process.exit(0);
}

// The algorithms on offer, by the algorithm of a JSON Web Key.
const offered = new Set(['HS256', 'EdDSA']);

const groups = (file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')).testGroups;
const literal = (value) => `'${String(value).replaceAll("'", "''")}'`;
const bytes = (hex) => `'\\x${hex}'::bytea`;

let number = 0;
let failures = 0;
function report(ok, name) {
	number++;
	if (!ok) failures++;
	console.log(`${ok ? 'ok' : 'not ok'} ${number} - ${name}`);
}

// Evaluates one boolean expression a line; an error counts as false.
function evaluate(expressions) {
	const sql = `
CREATE FUNCTION pg_temp.accepts(token text, keys jsonb) RETURNS boolean LANGUAGE plpgsql AS $f$
BEGIN
	PERFORM roost.jws_verify(token, keys);
	RETURN true;
EXCEPTION WHEN invalid_authorization_specification OR invalid_parameter_value THEN
	RETURN false;
END $f$;
SET standard_conforming_strings = on;
${expressions.map((e) => `SELECT ${e};`).join('\n')}`;
	const out = execFileSync('psql', ['-X', '-qAt', '-v', 'ON_ERROR_STOP=1', '-f', '-'], { input: sql, maxBuffer: 1 << 26 });
	const lines = out.toString().trim().split('\n');
	if (lines.length !== expressions.length) throw new Error(`${lines.length} answers to ${expressions.length} questions`);
	return lines.map((line) => line === 't');
}

// Compares what is accepted with what should be; cases: {name, expression, expected}.
function run(title, cases) {
	const answers = evaluate(cases.map((c) => c.expression));
	const wrong = cases.filter((c, i) => answers[i] !== c.expected);
	for (const c of wrong) console.log(`# ${title} ${c.name}: ${c.expected ? 'refused' : 'accepted'}`);
	const valid = cases.filter((c) => c.expected).length;
	report(wrong.length === 0 && cases.length > 0, `${title}: ${valid} accepted, ${cases.length - valid} refused`);
	return cases;
}

// A few vectors contradict the standard or each other.  They are named here
// with the reason, which is checked, so that none is excused by mistake.
function excused(test, tests) {
	const [header, payload] = test.jws.split('.');
	if (test.result === 'invalid')
		// the same token as one that is marked valid
		return [367, 370].includes(test.tcId) && tests.some((other) => other.result === 'valid' && other.jws === test.jws);
	// a character outside of base64url: RFC 7515 section 5.2 refuses it
	return [372, 373].includes(test.tcId) && /[^A-Za-z0-9_-]/.test(header + payload);
}

// JSON Web Signatures, and sets of keys
let contradictions = 0;
for (const [file, title] of [['json_web_signature_test.json', 'JWS'], ['json_web_key_test.json', 'JWK']]) {
	const cases = [];
	for (const group of groups(file)) {
		const keys = group.public || group.private;
		const list = keys.keys || [keys];
		for (const test of group.tests) {
			const wanted = test.result === 'valid' && list.every((key) => offered.has(key.alg));
			const contradictory = title === 'JWS' && excused(test, group.tests);
			if (contradictory) contradictions++;
			cases.push({
				name: `${test.tcId} ${test.comment}`,
				expression: `pg_temp.accepts(${literal(test.jws)}, ${literal(JSON.stringify(keys))})`,
				expected: contradictory ? !wanted : wanted,
			});
		}
	}
	run(title, cases);
}
report(contradictions === 4, 'four vectors contradict RFC 7515 or another vector, and are read by the standard');

// HMAC-SHA-256: tokens use whole tags and keys of at least 256 bits
run('HMAC', groups('hmac_sha256_test.json').flatMap((group) => group.tests.map((test) => ({
	name: `${test.tcId} ${test.comment}`,
	expression: `roost_internal.signature_valid('HS256', ${bytes(test.key)}, ${bytes(test.msg)}, ${bytes(test.tag)})`,
	expected: test.result === 'valid' && group.tagSize === 256 && group.keySize >= 256,
}))));

// Ed25519
run('Ed25519', groups('ed25519_test.json').flatMap((group) => group.tests.map((test) => ({
	name: `${test.tcId} ${test.comment}`,
	expression: `roost_internal.signature_valid('EdDSA', ${bytes(group.publicKey.pk)}, ${bytes(test.msg)}, ${bytes(test.sig)})`,
	expected: test.result === 'valid',
}))));

// The valid Ed25519 vectors cannot be tokens, since their messages are none:
// so take a token of our own, verify it with the published public key, and
// break each of its letters.
const own = execFileSync('psql', ['-X', '-qAt', '-v', 'ON_ERROR_STOP=1', '-c',
	`BEGIN; SELECT set_config('t.kid', roost.key_rotate('EdDSA'), true) IS NULL; SELECT roost_internal.token_make(1, 2, 3); SELECT roost.token_jwks(); ROLLBACK`])
	.toString().trim().split('\n');
const [token, jwks] = own.slice(-2);
const broken = [...token].map((letter, i) => token.slice(0, i) + (letter === 'A' ? 'B' : 'A') + token.slice(i + 1))
	.filter((other) => other !== token);
run('EdDSA token', [{ name: 'itself', expression: `pg_temp.accepts(${literal(token)}, ${literal(jwks)})`, expected: true },
	...broken.map((other, i) => ({ name: `letter ${i}`, expression: `pg_temp.accepts(${literal(other)}, ${literal(jwks)})`, expected: false }))]);

// Algorithm confusion: the public key as HMAC secret, and no algorithm at all
const { createHmac } = await import('node:crypto');
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwk = JSON.parse(jwks).keys[0];
const confused = (secret) => {
	const signed = `${encode({ alg: 'HS256', kid: jwk.kid })}.${encode({ sub: '1' })}`;
	return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};
const none = `${encode({ alg: 'none', kid: jwk.kid })}.${encode({ sub: '1' })}.`;
run('confusion', [Buffer.from(jwk.x, 'base64url'), jwk.x, JSON.stringify(jwk), jwks].map((secret, i) => ({
	name: `secret ${i}`, expression: `pg_temp.accepts(${literal(confused(secret))}, ${literal(jwks)})`, expected: false,
})).concat([none, none + 'AA', `${encode({ alg: 'None', kid: jwk.kid })}.${encode({ sub: '1' })}.`].map((other, i) => ({
	name: `none ${i}`, expression: `pg_temp.accepts(${literal(other)}, ${literal(jwks)})`, expected: false,
}))));

console.log(`1..${number}`);
process.exit(failures ? 1 : 0);
