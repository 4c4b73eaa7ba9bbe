// An OpenID Connect issuer by others: oidc-provider on a port of this machine, until stdin ends.
// argv: node_modules' folder, JSON {redirect_uri, alg, accounts: {id: claims}}. Prints {issuer} in one line.
// Whoever the request names in `login_hint` as `account/acr` has signed in and agreed; `deny` has not.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { generateKeyPairSync } from "node:crypto";

const here = createRequire(join(process.argv[2], "package.json"));
const { Provider } = await import(pathToFileURL(here.resolve("oidc-provider")).href);
const asked = JSON.parse(process.argv[3]);

const pair = { ES256: ["ec", { namedCurve: "P-256" }], RS256: ["rsa", { modulusLength: 2048 }] };
const keys = Object.entries(pair).map(([alg, [kind, options]]) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }),
  kid: alg,
  alg,
  use: "sig",
}));

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: ["a test's"] },
    acrValues: ["loa1", "loa2"],
    claims: { openid: ["sub"], profile: ["personal_number", "name", "birthdate", "gender"], acr: null },
    clients: [
      {
        client_id: "so-suc-khoe",
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: [asked.redirect_uri],
        response_types: ["code"],
        grant_types: ["authorization_code"],
        id_token_signed_response_alg: asked.alg,
      },
    ],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...asked.accounts[id] }) }),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  });
  const callback = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return callback(request, response);
    const { params, prompt, session } = await provider.interactionDetails(request, response);
    const [accountId, acr] = params.login_hint.split("/");
    if (accountId === "deny") {
      return provider.interactionFinished(request, response, { error: "access_denied" });
    }
    if (prompt.name === "login") {
      return provider.interactionFinished(request, response, { login: { accountId, acr } });
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  });
  console.log(JSON.stringify({ issuer }));
});
process.stdin.resume().on("end", () => process.exit(0));
