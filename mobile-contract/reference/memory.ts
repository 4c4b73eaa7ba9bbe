/** Stand-ins for a phone: for tests and for a try on a desk. Nothing here is for an app. */

import type { Clock, KeyName, KeyStore, Network, Phone, PublicKey, Storage } from "./ports.js";

type Kept = Map<string, string>;

const LOCKS = new WeakMap<Kept, Map<string, Promise<unknown>>>();

/** A map in memory; whoever keeps `kept` plays a restart of the app. */
export class MemoryStorage implements Storage {
  constructor(private readonly kept: Kept = new Map()) {}

  async get(name: string): Promise<string | null> {
    return this.kept.get(name) ?? null;
  }

  async set(name: string, value: string): Promise<void> {
    this.kept.set(name, value);
  }

  async remove(name: string): Promise<void> {
    this.kept.delete(name);
  }

  async names(prefix: string): Promise<string[]> {
    return [...this.kept.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  locked<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const locks = LOCKS.get(this.kept) ?? new Map<string, Promise<unknown>>();
    LOCKS.set(this.kept, locks);
    const done = (locks.get(name) ?? Promise.resolve()).then(work);
    locks.set(name, done.catch(() => undefined));
    return done;
  }
}

const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** WebCrypto keys; a phone has a key store, and asks for the person's finger where this one just signs. */
export class MemoryKeys implements KeyStore {
  private constructor(private readonly pairs: Map<KeyName, CryptoKeyPair>) {}

  static async made(): Promise<MemoryKeys> {
    const pair = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(ES256, false, ["sign", "verify"]);
    return new MemoryKeys(
      new Map([
        ["refresh", await pair()],
        ["step-up", await pair()],
      ]),
    );
  }

  /** Of private keys (JWK), as the sheet of a demo has them. */
  static async of(jwks: Record<KeyName, JsonWebKey>): Promise<MemoryKeys> {
    const pair = async ({ kty, crv, x, y, d }: JsonWebKey): Promise<CryptoKeyPair> => {
      const half = { kty, crv, x, y } as JsonWebKey;
      return {
        publicKey: await crypto.subtle.importKey("jwk", half, ES256, true, ["verify"]),
        privateKey: await crypto.subtle.importKey("jwk", { ...half, d } as JsonWebKey, ES256, false, ["sign"]),
      };
    };
    return new MemoryKeys(
      new Map([
        ["refresh", await pair(jwks.refresh)],
        ["step-up", await pair(jwks["step-up"])],
      ]),
    );
  }

  async publicKey(name: KeyName): Promise<PublicKey> {
    const { x, y } = await crypto.subtle.exportKey("jwk", this.pair(name).publicKey);
    return { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" };
  }

  async sign(name: KeyName, text: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.sign(ES256, this.pair(name).privateKey, text));
  }

  async forget(): Promise<void> {
    this.pairs.clear();
  }

  private pair(name: KeyName): CryptoKeyPair {
    const pair = this.pairs.get(name);
    if (pair === undefined) throw new Error("the keys are gone");
    return pair;
  }
}

export const deskClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

export const deskNetwork: Network = (request) => fetch(request);

export async function deskPhone(parts: Partial<Phone> = {}): Promise<Phone> {
  return {
    storage: new MemoryStorage(),
    keys: parts.keys ?? (await MemoryKeys.made()),
    clock: deskClock,
    network: deskNetwork,
    ...parts,
  };
}
