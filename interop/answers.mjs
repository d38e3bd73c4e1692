// What the vectors say that a gate holds, as the reader takes it, and answers as the vectors write them.

import { Refusal, fromHex, hex, openPass, readStatusList } from './reader.mjs';
import { ListsInUse, standing } from './standing.mjs';

const base64url = (digits) => Buffer.from(digits, 'hex').toString('base64url');
const jwkOf = (d, point) => {
  const [x, y] = [point.slice(2, 66), point.slice(66)];
  return { kty: 'EC', crv: 'P-256', d: base64url(d), x: base64url(x), y: base64url(y) };
};

/** The keys of a file of vectors as openPass takes them. */
export const gateOf = ({ gate_group_keys: groupKeys, retirements, issuers }) => ({
  groupKeys: groupKeys.map(({ kid, d, point, not_after: notAfter }) =>
    ({ kid: fromHex(kid), jwk: jwkOf(d, point), point: fromHex(point), notAfter })),
  retirements: retirements.map(({ kid, at }) => ({ kid: fromHex(kid), at })),
  issuers: issuers.map(({ name, kid, algorithm, public: publicBytes, not_after: notAfter, revoked }) =>
    ({ name, kid: fromHex(kid), algorithm, publicBytes: fromHex(publicBytes), notAfter, revoked })),
});

const described = ({ claims, reference, live }) => ({
  pass_id: hex(claims.passId),
  issuer: claims.issuer,
  audience: claims.audience,
  not_before: claims.notBefore,
  expires: claims.expires,
  product: claims.product,
  rider_category: claims.category ?? null,
  zones: claims.zones ?? [],
  valid_from: claims.from ?? null,
  valid_until: claims.until ?? null,
  assurance: ['self-enrolled', 'supervised'][claims.assurance],
  status: claims.status ?? null,
  holder: claims.holder ? hex(claims.holder) : null,
  kind: { 1: 'face', 2: 'pin' }[claims.kind],
  pack: claims.pack ?? null,
  commitment: hex(claims.commitment),
  reference: hex(reference),
  live,
});

export const answerToPass = async (vector, gate) => {
  const settings = { now: vector.clock, skew: vector.clock_skew_s, audience: vector.audience };
  try {
    return { admitted: described(await openPass(vector.presented, gate, settings)) };
  } catch (error) {
    if (error instanceof Refusal && error.fault) return { fault: error.fault };
    throw error;
  }
};

const withdrawn = (bits) => {
  const indices = [];
  bits.forEach((byte, at) => {
    for (let bit = 0; byte >> bit; bit += 1) if ((byte >> bit) & 1) indices.push(8 * at + bit);
  });
  return indices;
};

export const answerToList = async (vector, gate) => {
  try {
    const { uri, issuer, issuedAt, expires, ttl, bits } = await readStatusList(fromHex(vector.token), gate.issuers,
      vector.clock);
    return { list: { uri, issuer, issued_at: issuedAt, expires, ttl_s: ttl, entries: 8 * bits.length,
      withdrawn: withdrawn(bits) } };
  } catch (error) {
    if (error instanceof Refusal) return { refused: true };
    throw error;
  }
};

export const answerToStanding = async (vector, gate) => {
  const lists = await Promise.all(vector.lists.map((token) => readStatusList(fromHex(token), gate.issuers, Infinity)));
  return standing(vector.pass, lists, { now: vector.clock, ageMax: vector.age_s_max });
};

export const answerToSequence = async (vector, gate) => {
  const lists = new ListsInUse();
  const answers = [];
  for (const token of vector.tokens) {
    try {
      await lists.accept(fromHex(token), gate.issuers, vector.clock);
      answers.push(true);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answers.push(false);
    }
  }
  return answers;
};
