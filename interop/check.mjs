// Reads files of vectors and compares what the reader says with what is written there:
//   node interop/check.mjs [--json | --answers] FILE...
// Prints a line for each disagreement and the counts; --json all of it as JSON; --answers only what the reader says of
// each pass, for vectors without an expectation. Ends with 1 when there is a disagreement.

import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';

import { answerToList, answerToPass, answerToSequence, answerToStanding, gateOf } from './answers.mjs';

const KINDS = [['presented', answerToPass], ['token', answerToList], ['lists', answerToStanding],
  ['tokens', answerToSequence]];

const answersOf = async ({ gate: held, vectors, standings = [], sequences = [] }) => {
  const gate = gateOf(held);
  const answers = [];
  for (const vector of [...vectors, ...standings, ...sequences]) {
    const [, answerTo] = KINDS.find(([entry]) => entry in vector);
    answers.push({ vector, answer: await answerTo(vector, gate) });
  }
  return answers;
};

const checkFile = async (path) => {
  const answers = await answersOf(JSON.parse(await readFile(path, 'utf8')));
  const wrong = answers.filter(({ vector, answer }) => !isDeepStrictEqual(answer, vector.expected));
  const disagreements = wrong.map(({ vector: { name, rule, expected }, answer }) => ({ name, rule, expected, answer }));
  return { file: path, vectors: answers.length, agreed: answers.length - wrong.length, disagreements };
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean' }, answers: { type: 'boolean' } },
  allowPositionals: true,
});

if (values.answers) {
  const [path] = positionals;
  const answers = await answersOf(JSON.parse(await readFile(path, 'utf8')));
  console.log(JSON.stringify(answers.map(({ answer }) => answer)));
} else {
  const results = await Promise.all(positionals.map(checkFile));
  if (values.json) {
    console.log(JSON.stringify(results, null, 1));
  } else {
    for (const { file, vectors, agreed, disagreements } of results) {
      for (const each of disagreements) {
        const [expected, answer] = [each.expected, each.answer].map((value) => JSON.stringify(value));
        console.log(`${each.name} [${each.rule}]: expected ${expected}, got ${answer}`);
      }
      console.log(`${file}: ${agreed} of ${vectors} vectors agree`);
    }
  }
  const good = results.length > 0 && results.every(({ vectors, agreed }) => vectors > 0 && vectors === agreed);
  process.exitCode = good ? 0 : 1;
}
