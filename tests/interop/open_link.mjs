// Opens one SMART Health Link with kill-the-clipboard and says in JSON what it read, or which error it met.
// stdin: {"link", "passcode", "recipient", "embeddedLengthMax"}
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const { SHLViewer } = createRequire(join(process.argv[2], "package.json"))("kill-the-clipboard");
const { link, ...asked } = JSON.parse(await text(process.stdin));
try {
  const viewer = new SHLViewer({ shlinkURI: link });
  const read = await viewer.resolveSHL(asked);
  const resources = read.fhirResources.map((one) => ({ type: one.resourceType, text: JSON.stringify(one) }));
  console.log(JSON.stringify({ label: viewer.shl.label, status: read.manifest.status, resources }));
} catch (error) {
  console.log(JSON.stringify({ error: error.name, code: error.code }));
}
