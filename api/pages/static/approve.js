// The browser's key. A form with data-sign is signed before it leaves, and one with data-register brings a new key.
// Nothing is kept here: the key stays in the authenticator, the refresh key signs once and is thrown away.
"use strict";
(() => {
  const said = ["cancelled", "missing", "failed", "waiting"];
  const bytes = (text) => new TextEncoder().encode(text);
  const sha256 = (text) => crypto.subtle.digest("SHA-256", bytes(text));

  function packed(buffer) {
    const text = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  }

  function unpacked(text) {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
  }

  // Only what the server checks, so that every browser sends the same members.
  function written(credential, response) {
    const id = packed(credential.rawId);
    return JSON.stringify({ id, rawId: id, type: "public-key", response });
  }

  async function assertion(text, credential, rpId) {
    const found = await navigator.credentials.get({
      publicKey: {
        challenge: await sha256(text),
        allowCredentials: [{ type: "public-key", id: unpacked(credential) }],
        userVerification: "required",
        rpId: rpId || undefined,
        timeout: 120000,
      },
    });
    return written(found, {
      clientDataJSON: packed(found.response.clientDataJSON),
      authenticatorData: packed(found.response.authenticatorData),
      signature: packed(found.response.signature),
    });
  }

  // identity/devices.py enrolment_text: JCS, so members in order and no blanks.
  function enrolmentText(challenge, x) {
    return JSON.stringify({ challenge, refresh_x: x, step_up_x: "", typ: "device-enrolment", user_present: "yes" });
  }

  async function registration(challenge, rpId, name) {
    const curve = { name: "ECDSA", namedCurve: "P-256" };
    const pair = await crypto.subtle.generateKey(curve, false, ["sign"]);
    const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const text = enrolmentText(challenge, x);
    const proof = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, bytes(text));
    const made = await navigator.credentials.create({
      publicKey: {
        challenge: await sha256(text),
        rp: { id: rpId || undefined, name },
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name, displayName: name },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }],
        authenticatorSelection: { userVerification: "required", residentKey: "discouraged" },
        attestation: "none",
        timeout: 120000,
      },
    });
    const credential = written(made, {
      clientDataJSON: packed(made.response.clientDataJSON),
      attestationObject: packed(made.response.attestationObject),
    });
    return JSON.stringify({ x, y, proof: packed(proof), credential });
  }

  function say(form, word) {
    for (const one of said) {
      for (const place of form.querySelectorAll(`[data-said="${one}"]`)) {
        place.hidden = one !== word;
      }
    }
  }

  async function answered(form) {
    const { sign, credential, register, rp, name } = form.dataset;
    if (sign !== undefined) {
      form.elements.namedItem("signature").value = await assertion(sign, credential, rp);
    } else {
      form.elements.namedItem("registration").value = await registration(register, rp, name);
    }
  }

  async function onSubmit(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    if (form.dataset.sign === undefined && form.dataset.register === undefined) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    if (!window.PublicKeyCredential || !crypto.subtle) {
      say(form, "missing");
      return;
    }
    form.dataset.busy = "yes";
    say(form, "waiting");
    try {
      await answered(form);
      form.submit();
    } catch (error) {
      delete form.dataset.busy;
      // Cancelling, waiting too long and a key that is not here are one name to a page, so that none can tell.
      say(form, error instanceof DOMException && error.name === "NotAllowedError" ? "cancelled" : "failed");
    }
  }

  document.addEventListener("submit", onSubmit, true);
  // A page out of the browser's memory after "back" can be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-busy]")) {
      delete form.dataset.busy;
      say(form, "");
    }
  });
})();
