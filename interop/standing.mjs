import { Refusal, SKEW_MAX, hex, readStatusList } from './reader.mjs';

/** The newest list of each issuer and address: steps 1 to 7 of "Status lists", kept in memory only. */
export class ListsInUse {
  #newest = new Map();

  async accept(data, issuers, now) {
    const list = await readStatusList(data, issuers, now);
    const [place, token] = [`${list.issuer} ${list.uri}`, hex(data)];
    const known = this.#newest.get(place);
    const isOld = known && list.issuedAt <= known.issuedAt && token !== known.token;
    if (isOld) throw new Refusal('not after the one in use');
    this.#newest.set(place, { ...list, token });
  }
}

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
