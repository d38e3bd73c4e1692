// A reader of passes and status lists, version 1, written from docs/pass-format.md on WebCrypto and no package.
// openPass takes the steps of "Opening a pass", readStatusList those of "Status lists", each in its order.

import { isUtf8 } from 'node:buffer';
import { inflateSync } from 'node:zlib';
const { subtle } = globalThis.crypto;
const PREFIX = 'OS1:';
const [BYTES_MAX, TEXT_MAX, DEPTH_MAX, ITEMS_MAX, INFLATED_MAX] = [4096, 6148, 8, 256, 2 ** 24];
export const SKEW_MAX = 600;
const STATUS = { bytes: INFLATED_MAX + 2 ** 20, items: 32, ttl: 30 * 86400, type: 'application/statuslist+cwt' };
export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const fromHex = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
const ascii = (text) => Uint8Array.from(Buffer.from(text, 'ascii'));
const join = (...parts) => Uint8Array.from(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
const same = (a, b) => Buffer.compare(a, b) === 0;
const sha256 = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));

/** What is presented is refused. Of a pass, `fault` is one of the reasons in "Refusals". */
export class Refusal extends Error {}
const must = (condition, detail, fault) => {
  if (!condition) throw Object.assign(new Refusal(detail), { fault });
};
/** Runs a step in which each wrong form is the same fault, but for those that say another. */
const formOr = async (fault, action) => {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Refusal) error.fault ??= fault;
    throw error;
  }
};

// --- Text ---
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const fromText = (presented) => {
  const text = presented.endsWith('\n') ? presented.slice(0, -1) : presented;
  must([...text].length <= TEXT_MAX, 'too long a text');
  must(!/^OS(?!1:)[0-9]{1,4}:/.test(text), 'a pass of another version', 'pass_version_unknown');
  must(text.startsWith(PREFIX), 'not the text of a pass');
  const digits = Array.from(text.slice(PREFIX.length), (character) => ALPHABET.indexOf(character));
  must(digits.length > 0 && digits.length % 3 !== 1 && !digits.includes(-1), 'not Base45');
  const bytes = [];
  for (let at = 0; at < digits.length; at += 3) {
    const [c, d, e] = digits.slice(at, at + 3);
    const number = c + 45 * d + 2025 * (e ?? 0);
    must(number <= (e === undefined ? 0xff : 0xffff), 'characters that no bytes have');
    bytes.push(...(e === undefined ? [number] : [number >> 8, number & 0xff]));
  }
  return Uint8Array.from(bytes);
};

// --- Strict CBOR: an integer becomes a number, or a BigInt where a number would not be exact ---
const isInt = (value) => typeof value === 'number' || typeof value === 'bigint';
const isText = (value) => typeof value === 'string';
const isBytes = (value) => value instanceof Uint8Array;
const isMap = (value) => value instanceof Map;
const decode = (data, { tag, bytes = BYTES_MAX, items = ITEMS_MAX } = {}) => {
  must(data.length <= bytes, 'too many bytes');
  const cursor = { data, at: 0, left: items };
  if (tag !== undefined) must(readHead(cursor).join() === `6,${tag}`, `not inside tag ${tag}`);
  const value = readItem(cursor, 0);
  must(cursor.at === data.length, 'bytes after the end');
  return value;
};
const take = (cursor, length) => {
  must(length <= cursor.data.length - cursor.at, 'ends in the middle of an item');
  cursor.at += Number(length);
  return cursor.data.subarray(cursor.at - Number(length), cursor.at);
};
const readHead = (cursor) => {
  const [first] = take(cursor, 1);
  const [major, info] = [first >> 5, first & 0x1f];
  must(info <= 27, 'an indefinite or reserved length');
  if (info < 24) return [major, BigInt(info)];
  const size = 1 << (info - 24);
  const argument = BigInt(`0x${hex(take(cursor, size))}`);
  must(argument >= (size === 1 ? 24n : 1n << BigInt(4 * size)), 'a number that is not in its shortest form');
  return [major, argument];
};
const readItem = (cursor, depth) => {
  must(cursor.left-- > 0, 'too many items');
  const [major, argument] = readHead(cursor);
  must(major < 6, 'a tag, a float or a simple value');
  const integer = major === 1 ? -1n - argument : argument;
  if (major < 2) return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
  if (major < 4) return readString(take(cursor, argument), major === 3);
  must(depth < DEPTH_MAX && argument <= cursor.left, 'too deep, or too many items');
  if (major === 5) return readMap(cursor, depth + 1, Number(argument));
  return Array.from({ length: Number(argument) }, () => readItem(cursor, depth + 1));
};
const readString = (bytes, hasText) => {
  must(!hasText || isUtf8(bytes), 'text that is not UTF-8');
  return hasText ? Buffer.from(bytes).toString('utf8') : bytes;
};
const readMap = (cursor, depth, count) => {
  const entries = new Map();
  for (let last = new Uint8Array(); entries.size < count;) {
    const from = cursor.at;
    const key = readItem(cursor, depth);
    const written = cursor.data.subarray(from, cursor.at);
    must(isInt(key) || isText(key), 'a key that is neither an integer nor text');
    must(Buffer.compare(last, written) < 0, 'keys repeated or out of order');
    entries.set(key, readItem(cursor, depth));
    last = written;
  }
  return entries;
};

/** The deterministic encoding of an array of texts and byte strings: all that a reader has to write. */
const encodeStrings = (...strings) => join([0x80 | strings.length], ...strings.map((value) => {
  const [major, bytes] = isText(value) ? [0x60, ascii(value)] : [0x40, value];
  if (bytes.length < 24) return join([major | bytes.length], bytes);
  const size = bytes.length < 2 ** 8 ? 0 : bytes.length < 2 ** 16 ? 1 : 2;
  return join([major | (24 + size)], fromHex(bytes.length.toString(16).padStart(2 << size, '0')), bytes);
}));

/** The elements of an array of exactly these, each as its rule wants. */
const elements = (value, rules) => {
  must(Array.isArray(value) && value.length === rules.length && rules.every((rule, at) => rule(value[at])), 'elements');
  return value;
};
/** The values, by name, of a map that has all of these entries, but for optional ones, and no others. */
const fields = (value, rules) => {
  const known = Object.values(rules).map(([key]) => key);
  must(isMap(value) && [...value.keys()].every((key) => known.includes(key)), 'not a map, or unknown entries');
  return Object.fromEntries(Object.entries(rules).map(([name, [key, rule, optional]]) => {
    must(value.has(key) ? rule(value.get(key)) : optional, `${name} is missing or wrong`);
    return [name, value.get(key)];
  }));
};

// --- What values may be ---
const OPTIONAL = true;
const is = (...expected) => (value) => expected.includes(value);
const ofLength = (min, max = min) => (value) => isBytes(value) && min <= value.length && value.length <= max;
const among = (min, max) => (value) => isInt(value) && min <= value && value <= max;
const matching = (pattern, max) => (value) => isText(value) && [...value].length <= max && pattern.test(value);
const isTime = among(0, 2 ** 33);
const isName = matching(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 40);
const isUri = matching(/^https:\/\/[!-~]+$/, 200);
const isPack = matching(/^[A-Za-z0-9]([A-Za-z0-9._+-]*[A-Za-z0-9])?$/, 24);
const isLine = (max) => matching(/^(?! )([^\p{C}\p{Z}]| )+(?<! )$/u, max);
const isPrintable = (max) => (value) => isLine(max)(value) && value === value.normalize('NFC');
const isAudience = (value) => isText(value) && value.split('/').length === 2 && value.split('/').every(isName);
const isZones = (value) => Array.isArray(value) && among(1, 16)(value.length) && value.every(isPrintable(40))
  && new Set(value).size === value.length;
const isReference = (value) => Array.isArray(value) && ofLength(32)(value[1])
  && (value[0] === 1 ? value.length === 3 && isPack(value[2]) : value[0] === 2 && value.length === 2);

// --- COSE and HPKE-0 ---
const KINDS = {
  EdDSA: { alg: -8, key: 'Ed25519', verify: 'Ed25519' },
  ES256: { alg: -7, key: { name: 'ECDSA', namedCurve: 'P-256' }, verify: { name: 'ECDSA', hash: 'SHA-256' } },
};
const readSign1 = (data, headers, bytes) => {
  const parts = elements(decode(data, { tag: 18, bytes }), [isBytes, isMap, isBytes, ofLength(64)]);
  const [written, unprotected, payload, signature] = parts;
  must(unprotected.size === 0, 'an unprotected header');
  const signed = (external) => encodeStrings('Signature1', written, external, payload);
  return { ...fields(decode(written), headers), payload, signature, signed };
};
const verifies = async (algorithm, publicBytes, message, external = []) => {
  const key = await subtle.importKey('raw', publicBytes, KINDS[algorithm].key, false, ['verify']);
  return subtle.verify(KINDS[algorithm].verify, key, message.signature, message.signed(external));
};
const hmac = async (secret, ...data) => {
  const key = await subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await subtle.sign('HMAC', key, join(...data)));
};
const [KEM, SUITE] = [join(ascii('KEM'), [0, 0x10]), join(ascii('HPKE'), [0, 0x10, 0, 1, 0, 1])];
const [NONE, NO_SALT] = [[], new Uint8Array(32)];
const extract = (suite, salt, label, ikm) => hmac(salt, ascii('HPKE-v1'), suite, ascii(label), ikm);
const expand = async (suite, prk, label, info, length) =>
  (await hmac(prk, [0, length], ascii('HPKE-v1'), suite, ascii(label), info, [1])).subarray(0, length);
const agree = async (jwk, ek) => {
  const curve = { name: 'ECDH', namedCurve: 'P-256' };
  const own = await subtle.importKey('jwk', jwk, curve, false, ['deriveBits']);
  const peer = ek[0] === 4 && await subtle.importKey('raw', ek, curve, false, []).catch(() => false);
  must(peer, 'ek is not an uncompressed point of the curve');
  return new Uint8Array(await subtle.deriveBits({ name: 'ECDH', public: peer }, own, 256));
};

const unseal = async (groupKey, { written, ek, ciphertext }) => {
  const prk = await extract(KEM, NO_SALT, 'eae_prk', await agree(groupKey.jwk, ek));
  const shared = await expand(KEM, prk, 'shared_secret', join(ek, groupKey.point), 32);
  const pskIdHash = await extract(SUITE, NO_SALT, 'psk_id_hash', NONE);
  const context = join([0], pskIdHash, await extract(SUITE, NO_SALT, 'info_hash', NONE));
  const secret = await extract(SUITE, shared, 'secret', NONE);
  const raw = await expand(SUITE, secret, 'key', context, 16);
  const iv = await expand(SUITE, secret, 'base_nonce', context, 12);
  const key = await subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt']);
  const parameters = { name: 'AES-GCM', iv, additionalData: encodeStrings('Encrypt0', written, ascii(PREFIX)) };
  const plain = await subtle.decrypt(parameters, key, ciphertext).catch(() => false);
  must(plain, 'the seal does not open');
  return new Uint8Array(plain);
};

// --- The layers of a pass ---
const readSeal = (data) => {
  const [written, unprotected, ciphertext] = elements(decode(data, { tag: 16 }), [isBytes, isMap, ofLength(17, 4096)]);
  const headers = fields(decode(written), { alg: [1, is(35)], kid: [4, ofLength(8)] });
  return { written, ...headers, ...fields(unprotected, { ek: [-4, ofLength(65)] }), ciphertext };
};
const readContent = (plain) => {
  const parts = decode(plain);
  const ofProof = parts.length === 4 ? [isBytes] : [];
  const [token, salt, data, proof] = elements(parts, [isBytes, ofLength(16), ofLength(16, 256), ...ofProof]);
  return { token, salt, data, proof };
};
const CLAIMS = { issuer: [1, isName], audience: [3, isAudience], expires: [4, isTime], notBefore: [5, isTime],
  passId: [7, ofLength(16)], cnf: [8, isMap, OPTIONAL], listed: [65535, isMap, OPTIONAL], pass: [-65537, isMap] };
const PASS_CLAIM = { version: [1, isInt], product: [2, isPrintable(48)], category: [3, isName, OPTIONAL],
  zones: [4, isZones, OPTIONAL], from: [5, isTime, OPTIONAL], until: [6, isTime, OPTIONAL], assurance: [7, among(0, 1)],
  reference: [8, isReference] };
const STATUS_REFERENCE = { idx: ['idx', among(0, 2 ** 32 - 1)], uri: ['uri', isUri] };
const HOLDER_KEY = { kty: [1, is(2)], crv: [-1, is(1)], x: [-2, ofLength(32)], y: [-3, ofLength(32)] };
const readClaims = async (payload) => {
  const outer = decode(payload);
  const version = isMap(outer) && isMap(outer.get(-65537)) ? outer.get(-65537).get(1) : undefined;
  must(isInt(version), 'no version');
  must(version === 1, 'claims of another version', 'pass_version_unknown');
  const { pass, cnf, listed, ...claims } = fields(outer, CLAIMS);
  const { reference: [kind, commitment, pack], ...inner } = fields(pass, PASS_CLAIM);
  const { expires, notBefore } = claims;
  const [start, end] = [inner.from ?? notBefore, inner.until ?? expires];
  must(notBefore < expires && expires - notBefore <= 1098 * 86400, 'a validity that is too long, or none');
  must(notBefore <= start && start < end && end <= expires, 'a product that is valid when the pass is not');
  const status = listed && fields(fields(listed, { list: ['status_list', isMap] }).list, STATUS_REFERENCE);
  const holder = cnf && await readHolder(fields(fields(cnf, { key: [1, isMap] }).key, HOLDER_KEY));
  return { ...claims, ...inner, start, end, kind, commitment, pack, status, holder };
};
const readHolder = async ({ x, y }) => {
  const point = join([4], x, y);
  must(await subtle.importKey('raw', point, KINDS.ES256.key, true, ['verify']).catch(() => false), 'off the curve');
  return point;
};

/** Opens a presented text with what the gate holds (answers.mjs builds it); times are seconds. Throws Refusal. */
export const openPass = async (presented, gate, { now, skew, audience }) => {
  const seal = await formOr('pass_unreadable', () => readSeal(fromText(presented))); // step 1
  const isRetired = gate.retirements.some(({ kid, at }) => same(kid, seal.kid) && at <= now); // 2
  must(!isRetired, 'sealed to a retired key', 'pass_outdated');
  const groupKey = gate.groupKeys.find(({ kid }) => same(kid, seal.kid));
  must(groupKey, 'sealed to a key that is not held', 'pass_for_other_gates');
  const plain = await formOr('pass_damaged', () => unseal(groupKey, seal)); // 3
  const content = await formOr('pass_unreadable', () => readContent(plain));
  const headers = { alg: [1, is(-8, -7)], kid: [4, ofLength(8)] };
  const token = await formOr('pass_unreadable', () => readSign1(content.token, headers)); // 4
  const issuer = gate.issuers.find(({ kid }) => same(kid, token.kid)); // 5
  must(issuer, 'signed by nobody known', 'issuer_unknown');
  must(!issuer.revoked, 'signed with a revoked key', 'issuer_revoked');
  must(KINDS[issuer.algorithm].alg === token.alg, 'another algorithm than that of the key', 'pass_forged');
  must(await verifies(issuer.algorithm, issuer.publicBytes, token), 'a wrong signature', 'pass_forged'); // 6
  const claims = await formOr('pass_unreadable', () => readClaims(token.payload)); // 7
  must(claims.issuer === issuer.name, 'names another issuer', 'pass_forged'); // 8
  must(claims.expires <= Math.min(issuer.notAfter, groupKey.notAfter), 'outlasts its keys', 'pass_forged');
  const commitment = await sha256(join(content.salt, content.data)); // 9
  must(same(commitment, claims.commitment), 'another reference than was signed', 'pass_forged');
  must(claims.kind === 1 || content.data.length === 32, 'a PIN of another length', 'pass_unreadable');
  const madeAt = content.proof ? await verifyProof(content, claims.holder) : now; // 10
  must(claims.audience === audience, 'addressed to other gates', 'pass_for_other_gates'); // 11
  must(now >= claims.start - skew, 'its time has not begun', 'pass_not_yet_valid'); // 12
  must(now < claims.end + skew, 'its time is over', 'pass_expired');
  must(madeAt - 5 <= now && now <= madeAt + 25, 'not made just now', 'live_code_expired'); // 13
  return { claims, reference: content.data, live: content.proof !== undefined };
};
const verifyProof = async ({ token, proof }, holder) => {
  const message = await formOr('pass_unreadable', () => readSign1(proof, { alg: [1, is(-7)] }));
  const { iat } = await formOr('pass_unreadable', () => fields(decode(message.payload), { iat: [6, isTime] }));
  must(holder, 'shown live, and has no key for that', 'pass_forged');
  must(await verifies('ES256', holder, message, await sha256(token)), 'a proof of other things', 'pass_forged');
  return iat;
};

// --- Status lists ---
const LIST_HEADERS = { alg: [1, isInt], kid: [4, ofLength(8)], typ: [16, is(STATUS.type)] };
const LIST_CLAIMS = { uri: [2, isUri], expires: [4, isTime], issuedAt: [6, isTime], list: [65533, isMap],
  ttl: [65534, among(1, STATUS.ttl)] };
const LIST = { bits: ['bits', is(1)], lst: ['lst', isBytes], more: ['aggregation_uri', matching(/^/, 200), OPTIONAL] };
/** The list in a token, after steps 1 to 5 of "Status lists". Throws Refusal. */
export const readStatusList = async (data, issuers, now) => {
  const token = readSign1(data, LIST_HEADERS, STATUS.bytes); // step 1
  const issuer = issuers.find(({ kid }) => same(kid, token.kid)); // 2
  must(issuer && !issuer.revoked && KINDS[issuer.algorithm].alg === token.alg, 'a key that does not count');
  must(await verifies(issuer.algorithm, issuer.publicBytes, token), 'a wrong signature'); // 3
  const { list, ...claims } = fields(decode(token.payload, STATUS), LIST_CLAIMS); // 4
  const bits = inflate(fields(list, LIST).lst);
  const { issuedAt, expires } = claims; // 5
  must(issuedAt < expires && expires <= issuer.notAfter && issuedAt <= now + SKEW_MAX, 'times that cannot be');
  return { ...claims, issuer: issuer.name, bits };
};
const inflate = (lst) => {
  try {
    const { buffer, engine } = inflateSync(lst, { info: true, maxOutputLength: INFLATED_MAX });
    must(buffer.length > 0 && engine.bytesWritten === lst.length, 'no bits, or bytes after the stream');
    return buffer;
  } catch (error) {
    throw new Refusal(`not a ZLIB stream of bits: ${error.message}`);
  }
};
