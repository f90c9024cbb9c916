// Keys as clients of the Signal protocol publish them, made without its library: an Ed25519 key is, converted, an identity
// key for X25519, and its signatures are XEdDSA ones with the sign of the key in their highest bit.
import { generateKeyPairSync, randomBytes, randomInt, sign } from 'node:crypto';

const p = 2n ** 255n - 19n;
const power = (base, exponent) => {
	let result = 1n;
	for (; exponent > 0n; exponent >>= 1n, base = base * base % p) if (exponent & 1n) result = result * base % p;
	return result;
};
const raw = (publicKey) => Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');
const serialize = (point) => Buffer.concat([Buffer.from([5]), point]);

// An identity: its key in base64, and sign(bytes) in base64.
export function identity() {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519');
	const edwards = raw(publicKey);
	const negative = edwards[31] & 0x80;
	edwards[31] &= 0x7f;
	const y = BigInt(`0x${Buffer.from(edwards).reverse().toString('hex')}`);
	const u = (1n + y) * power(p + 1n - y, p - 2n) % p;
	return {
		key: serialize(Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse()).toString('base64'),
		sign(bytes) {
			const signature = sign(null, bytes, privateKey);
			signature[63] |= negative;
			return signature.toString('base64');
		},
	};
}

export const curveKey = () => serialize(raw(generateKeyPairSync('x25519').publicKey));

// Bytes that look like a public key of Kyber-1024.
export function kyberKey() {
	const key = randomBytes(1569);
	key[0] = 8;
	for (let i = 1; i < 1537; i += 3) {
		const [low, high] = [randomInt(3329), randomInt(3329)];
		key.writeUIntLE(low | high << 12, i, 3);
	}
	return key;
}

export const prekey = (id, key = curveKey()) => ({ id, key: key.toString('base64') });
export const signedPrekey = (owner, id, key = curveKey()) => ({ ...prekey(id, key), signature: owner.sign(key) });
export const kyberPrekey = (owner, id) => signedPrekey(owner, id, kyberKey());
export const several = (n, make, start = 1) => Array.from({ length: n }, (_, i) => make(start + i));

let registrations = 1000; // so far: each has another id

// The body of PUT /encryption/keys.
export function published(owner, { prekeys = 0, kyberPrekeys = 0, registrationId = ++registrations % 16384 } = {}) {
	return {
		registration_id: registrationId, identity_key: owner.key, signed_prekey: signedPrekey(owner, 1), kyber_prekey: kyberPrekey(owner, 1),
		prekeys: several(prekeys, (id) => prekey(id)), kyber_prekeys: several(kyberPrekeys, (id) => kyberPrekey(owner, id)),
	};
}
