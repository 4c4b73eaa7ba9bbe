// Verifies compact JWS with jose and says in JSON of each what it read, or which error it met.
// stdin: [{"jws", "jwks": {"keys": […]}, "algorithms": […]}]
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const { compactVerify, createLocalJWKSet } = createRequire(join(process.argv[2], "package.json"))("jose");

async function read({ jws, jwks, algorithms }) {
  try {
    const { payload, protectedHeader } = await compactVerify(jws, createLocalJWKSet(jwks), { algorithms });
    return { header: protectedHeader, payload: JSON.parse(new TextDecoder().decode(payload)) };
  } catch (error) {
    return { error: error.code ?? error.name };
  }
}

console.log(JSON.stringify(await Promise.all(JSON.parse(await text(process.stdin)).map(read))));
