// Signs in at an OpenID Connect issuer with openid-client and says in JSON what it read, or which error it met.
// stdin: {"issuer", "redirect_uri", "form": what the person enters on the page, "wrong": "nonce" | "verifier" | ""}
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const here = createRequire(join(process.argv[2], "package.json"));
const client = await import(pathToFileURL(here.resolve("openid-client")).href);
const asked = JSON.parse(await text(process.stdin));

async function signIn() {
  const config = await client.discovery(new URL(asked.issuer), "interop", undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: asked.redirect_uri,
    scope: "openid profile",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    prompt: "login",
  });
  if (!(await fetch(address)).ok) return { error: "page" };
  const body = new URLSearchParams({ ...Object.fromEntries(address.searchParams), ...asked.form });
  const agreed = await fetch(config.serverMetadata().authorization_endpoint, {
    method: "POST",
    body,
    redirect: "manual",
  });
  const tokens = await client.authorizationCodeGrant(config, new URL(agreed.headers.get("location")), {
    pkceCodeVerifier: asked.wrong === "verifier" ? client.randomPKCECodeVerifier() : verifier,
    expectedState: state,
    expectedNonce: asked.wrong === "nonce" ? "another" : nonce,
    maxAge: 60,
  });
  const claims = tokens.claims();
  return { claims, userinfo: await client.fetchUserInfo(config, tokens.access_token, claims.sub) };
}

console.log(JSON.stringify(await signIn().catch((error) => ({ error: error.error ?? error.code ?? error.name }))));
