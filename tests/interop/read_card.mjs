// Reads SMART Health Cards with jose and says in JSON of each what it read, or which error it met.
// stdin: [{"text": "shc:/…" or a JWS, "jwks": {"keys": […]}}]
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { inflateRawSync } from "node:zlib";

const { compactVerify, createLocalJWKSet } = createRequire(join(process.argv[2], "package.json"))("jose");

const fromDigits = (digits) =>
  String.fromCharCode(...digits.match(/\d\d/g).map((pair) => Number(pair) + 45));

async function read({ text: card, jwks }) {
  try {
    const jws = card.startsWith("shc:/") ? fromDigits(card.slice(5)) : card;
    const { payload, protectedHeader } = await compactVerify(jws, createLocalJWKSet(jwks));
    return { header: protectedHeader, payload: JSON.parse(inflateRawSync(payload)) };
  } catch (error) {
    return { error: error.code ?? error.name };
  }
}

console.log(JSON.stringify(await Promise.all(JSON.parse(await text(process.stdin)).map(read))));
