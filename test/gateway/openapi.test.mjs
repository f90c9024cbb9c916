// /openapi.json as tools for OpenAPI read it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Ajv2020, addFormats } from './lib.mjs';

const url = process.env.ROOST_URL;
const redocly = new URL('node_modules/.bin/redocly', import.meta.url).pathname;
const description = await (await fetch(`${url}/openapi.json`, { headers: { connection: 'close' } })).json(); // or it would be closed about when it is used again

function lint(document) {
	const folder = mkdtempSync(join(tmpdir(), 'roost-openapi-'));
	const file = join(folder, 'openapi.json');
	writeFileSync(file, JSON.stringify(document));
	const environment = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
	return new Promise((resolve) => {
		execFile(redocly, ['lint', '--format=json', '--max-problems=1000', file], { cwd: folder, env: environment, maxBuffer: 1 << 26 }, (error, out) => {
			rmSync(folder, { recursive: true });
			resolve(JSON.parse(out.slice(out.indexOf('{'))));
		});
	});
}

test('a linter finds no errors', { skip: !existsSync(redocly) && 'no @redocly/cli' }, async () => {
	const { totals, problems } = await lint(description);
	assert.deepEqual(problems.filter((problem) => problem.severity === 'error').map((problem) => [problem.message, problem.location[0].pointer]), []);
	assert.equal(totals.errors, 0);
	// and would have found one
	const broken = structuredClone(description);
	broken.paths['/auth/login'].post.requestBody = { content: 'nothing' };
	assert.notEqual((await lint(broken)).totals.errors, 0);
});

test('every schema is one', { skip: !Ajv2020 && 'no ajv: answers are not checked against the description' }, () => {
	const ajv = new Ajv2020({ strict: false });
	addFormats(ajv);
	ajv.addSchema({ $id: 'openapi', ...description });
	const names = Object.keys(description.components.schemas);
	assert.ok(names.length > 10);
	for (const name of names) assert.ok(ajv.getSchema(`openapi#/components/schemas/${name}`), name);
});

test('every pattern is one for JavaScript, too', () => {
	const patterns = [];
	JSON.stringify(description, (key, value) => {
		if (key === 'pattern') patterns.push(value);
		return value;
	});
	assert.ok(patterns.length > 3);
	for (const pattern of patterns) assert.doesNotThrow(() => new RegExp(pattern, 'u'), pattern);
});

test('what needs no token answers without one, what needs one does not', async () => {
	for (const [path, item] of Object.entries(description.paths)) {
		if (!item.get || path.includes('{') || item.get.parameters.some((parameter) => parameter.required)) continue;
		const open = item.get.security.length === 0 || item.get.security.some((way) => Object.keys(way).length === 0);
		const { status, body } = await fetch(url + path);
		await body?.cancel();
		if (open) assert.notEqual(status, 401, path);
		else assert.equal(status, 401, path);
	}
});
