// One JSON list of texts on stdin; what mermaid says against each on stdout, null where it parses.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const packages = pathToFileURL(`${process.argv[2]}/node_modules/`).href;
const { default: mermaid } = await import(`${packages}mermaid/dist/mermaid.core.mjs`);
const { default: purifier } = await import(`${packages}dompurify/dist/purify.es.mjs`);
// It cleans what is drawn into a browser's page. There is none here, and nothing is drawn.
Object.assign(purifier, { addHook: () => undefined, sanitize: (text) => text });
const said = [];
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  said.push(await mermaid.parse(text).then(() => null, (failure) => String(failure.message)));
}
process.stdout.write(JSON.stringify(said));
