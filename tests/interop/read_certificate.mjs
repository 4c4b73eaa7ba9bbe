// Verifies HC1 certificates with one judge (its name is the second argument) and says in JSON what it found of
// each. One alone in a process: both tell the CBOR library that they share what tag 18 is.
// stdin: [{"text": "HC1:…", "key": SubjectPublicKeyInfo as PEM, "alg": "ES256" | "PS256"}]
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { inflateSync } from "node:zlib";

const require = createRequire(join(process.argv[2], "package.json"));
const judges = {
  "cose-kit": async (cose, key) => (await require("cose-kit").coseVerify(cose, key)).isValid,
  "@auth0/cose": async (cose, key) => {
    await require("@auth0/cose").Sign1.decode(cose).verify(key);
    return true;
  },
};
const { importSPKI } = require("jose");
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

function fromBase45(letters) {
  const bytes = [];
  for (let at = 0; at < letters.length; at += 3) {
    const group = [...letters.slice(at, at + 3)].map((letter) => ALPHABET.indexOf(letter));
    const number = group.reduceRight((sum, value) => sum * 45 + value, 0);
    bytes.push(...(group.length === 3 ? [number >> 8, number & 255] : [number]));
  }
  return Uint8Array.from(bytes);
}

async function read({ text: certificate, key: pem, alg }) {
  try {
    const cose = inflateSync(fromBase45(certificate.slice("HC1:".length)));
    const isValid = await judges[process.argv[3]](cose, await importSPKI(pem, alg));
    return isValid ? "valid" : "invalid";
  } catch (error) {
    return error.code === "ERR_COSE_SIGNATURE_VERIFICATION_FAILED" ? "invalid" : `${error.name}: ${error.message}`;
  }
}

console.log(JSON.stringify(await Promise.all(JSON.parse(await text(process.stdin)).map(read))));
