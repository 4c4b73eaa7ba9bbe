/**
 * What a phone has and a library does not: each app brings its own.
 *
 * Android: Keystore, EncryptedFile, OkHttp. iOS: Secure Enclave, Data Protection, URLSession. The stand-ins in
 * `memory.ts` are for tests and for a try on a desk.
 */

/**
 * A small durable map of one person: each person on the phone has an own one. A promise of `set` or `remove` that
 * resolved survives a crash; lists are in order of name.
 */
export interface Storage {
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
  names(prefix: string): Promise<string[]>;
  /** One `work` of a name at a time, over all processes of the app; whoever dies lets go (a file lock does). */
  locked<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
}

/** The public half of a P-256 key. */
export interface PublicKey {
  kty: "EC";
  crv: "P-256";
  x: string;
  y: string;
}

/** Keys that never leave the phone. The step-up key asks for biometric or PIN at every `sign`. */
export interface KeyStore {
  /** The key of that name, made when it is missing. */
  publicKey(name: KeyName): Promise<PublicKey>;
  /** ES256 over the text: r‖s, 64 bytes. */
  sign(name: KeyName, text: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  forget(): Promise<void>;
}

export type KeyName = "refresh" | "step-up";

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** One request, one answer; rejects where no whole answer came. Follows no redirects, keeps no cookies. */
export type Network = (request: Request) => Promise<Response>;

/** The text of the next code that the person holds before the camera; null when the person gave up. */
export interface Camera {
  scan(): Promise<string | null>;
}

export interface Phone {
  storage: Storage;
  keys: KeyStore;
  clock: Clock;
  network: Network;
}
