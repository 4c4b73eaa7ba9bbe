/** One person on one phone: how the parts of this folder fit together. */

import { Acts } from "./acts.js";
import { Book } from "./book.js";
import { Consent } from "./consent.js";
import type { Environment } from "./device.js";
import type { Phone } from "./ports.js";
import type { PinnedKeys } from "./qr.js";
import { Session } from "./session.js";
import { type Api, type Settings, Transport } from "./transport.js";

/** What an app is built with. */
export interface Build extends Settings {
  environment: Environment;
  /** Keys of codes, from `/.well-known/qr-keys.json` on the day of the release. */
  qrKeys: PinnedKeys;
}

export class App {
  readonly transport: Transport;
  readonly acts: Acts;
  readonly consent: Consent;
  readonly book: Book;

  private constructor(
    readonly phone: Phone,
    readonly session: Session,
    readonly build: Build,
  ) {
    this.transport = new Transport(build, phone.network, phone.clock, session);
    this.acts = new Acts(phone.storage, phone.clock, session.patientId);
    this.consent = new Consent(phone, this.transport, session, build.qrKeys, build.environment);
    this.book = this.bookOf(session.patientId);
  }

  /** The app after a start; null when the person has to sign in (sign-in.ts). */
  static async started(phone: Phone, build: Build): Promise<App | null> {
    const session = await Session.kept(phone, openTransport(phone, build));
    return session === null ? null : new App(phone, session, build);
  }

  get api(): Api {
    return this.transport.api;
  }

  /** Of the person, or of somebody for whom the person acts (household.ts). */
  bookOf(person: string): Book {
    const isOwn = person === this.session.patientId;
    return new Book(this.transport.api, this.phone.storage, this.phone.clock, person, isOwn);
  }
}

/** Before sign-in. */
export function openTransport(phone: Phone, build: Settings): Transport {
  return new Transport(build, phone.network, phone.clock);
}
