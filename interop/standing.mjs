import { SKEW_MAX } from './reader.mjs';

/** How a pass of this issuer, with this status reference if it has one, stands by these lists. */
export const standing = ({ issuer, status }, lists, { now, ageMax }) => {
  if (!status) return 'unlisted';
  const counting = lists.filter((list) => list.issuer === issuer && list.uri === status.uri);
  const [newest] = counting.sort((a, b) => b.issuedAt - a.issuedAt);
  if (newest === undefined || status.idx >= 8 * newest.bits.length) return 'unsure';
  if ((newest.bits[Math.floor(status.idx / 8)] >> (status.idx % 8)) & 1) return 'withdrawn';
  const age = now - newest.issuedAt;
  return -SKEW_MAX <= age && age <= ageMax && now < newest.expires ? 'good' : 'unsure';
};
